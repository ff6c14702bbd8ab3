import { formatTable, printable } from "@daos/cli";
import type { SystemEvent } from "@daos/control-client";
import { type Answer, success } from "../../answer.ts";
import { defineCommand } from "../../define-command.ts";
import { parseSince } from "../../system/parse-since.ts";
import { showTime } from "../../system/show-state.ts";

/** `dmg system events`. */
export const systemEventsCommand = defineCommand({
  name: "system events",
  summary: "Show the latest events of the system",
  description:
    "The latest 4096 events are kept beside the members, also when the leader changes. Names and severities are those of DAOS's RAS events where the same thing happens. --follow also shows new events, until Ctrl-C. When the leader is lost, dmg continues with the next leader. With --follow and --json each event is one line of JSON.",
  examples: [
    { text: "The latest events", line: "system events" },
    { text: "The events of a day", line: "system events --since 24h" },
    { text: "New events too, for a program", line: "system events --follow --json" },
  ],
  flags: {
    since: {
      type: "string",
      value: "TIME",
      summary: "only events since a time (2026-11-25T08:30Z), or of the last 90m, 24h, 7d",
    },
    follow: { type: "boolean", summary: "show new events until Ctrl-C" },
  },
  run: async ({ flags: { follow, since: wanted }, connect, emit, note, waitFor }): Promise<Answer> => {
    const since = wanted === undefined ? undefined : parseSince(wanted, new Date());
    const { client } = await connect();
    const { systemEvents } = await import("@daos/control-client");
    if (follow) {
      await systemEvents(client, {
        follow,
        since,
        onEvent: (event) => emit(toJson(event), showEvent(event)),
        onLost: (fault) =>
          note(`the leader is lost (${fault?.message ?? "it ended the call"}); looking for the next one`),
      });
      return { ...success({ events: [] }, () => ""), emitted: true };
    }
    const events: SystemEvent[] = [];
    await waitFor(systemEvents(client, { follow, since, onEvent: (event) => void events.push(event) }));
    const rows = events.map((event) => [
      showTime(event.time),
      event.severity,
      event.kind,
      event.rank === undefined ? "" : `${event.rank}`,
      event.address,
      event.message,
    ]);
    return success({ events: events.map(toJson) }, (width) =>
      rows.length === 0
        ? since === undefined
          ? "No events"
          : `No events since ${showTime(since)}`
        : formatTable({ columns: ["Time", "Severity", "Event", "Rank", "Host", "Message"], rows }, width),
    );
  },
});

/** One line per event, as in the log. */
function showEvent({ time, severity, kind, message, rank, address }: SystemEvent): string {
  const about = [rank === undefined ? "" : ` rank=${rank}`, address === "" ? "" : ` host=${address}`].join(
    "",
  );
  return printable(`${showTime(time)} ${severity.toUpperCase().padEnd(7)} ${kind}: ${message}${about}`);
}

function toJson({ time, rank, ...event }: SystemEvent) {
  return { ...event, rank: rank ?? null, time: time.toISOString() };
}

import { formatTable, printable } from "@daos/cli";
import type { SystemEvent } from "@daos/control-client";
import { type Answer, success } from "../../answer.ts";
import { defineCommand } from "../../define-command.ts";
import { showTime } from "../../system/show-state.ts";

/** `dmg system events`. */
export const systemEventsCommand = defineCommand({
  name: "system events",
  summary: "Show what has happened in the system lately",
  description:
    "The leader keeps the latest events. With --follow those that happen are shown too, until Ctrl-C; when the leader is lost dmg goes on with the next one. With --follow and --json each event is one line of JSON.",
  examples: [
    { text: "What has happened", line: "system events" },
    { text: "What happens, for a program", line: "system events --follow --json" },
  ],
  flags: {
    follow: { type: "boolean", summary: "go on until Ctrl-C" },
  },
  run: async ({ flags: { follow }, connect, emit, note, waitFor }): Promise<Answer> => {
    const { client } = await connect();
    const { systemEvents } = await import("@daos/control-client");
    if (follow) {
      await systemEvents(client, {
        follow,
        onEvent: (event) => emit(toJson(event), showEvent(event)),
        onLost: (fault) =>
          note(`the leader is lost (${fault?.message ?? "it ended the call"}); looking for the next one`),
      });
      return { ...success({ events: [] }, () => ""), emitted: true };
    }
    const events: SystemEvent[] = [];
    await waitFor(systemEvents(client, { follow, onEvent: (event) => void events.push(event) }));
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
        ? "Nothing has happened since the leader is in office"
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

import type { MemberAction } from "@daos/control-client";
import { defineCommand, formatTable } from "@daos/dmg-kit";
import { Fault, FaultCode } from "@daos/fault";
import { formatRankSet, parseRank, type Rank } from "@daos/rank";

/** `dmg system stop`. @see DAOS 0.8.0 src/control/cmd/dmg/system.go systemStopCmd */
export const systemStopCommand = defineCommand({
  name: "system stop",
  alias: "s",
  summary: "Stop every engine of the system in order",
  examples: [{ text: "Stop the system", line: "system stop" }],
  flags: {},
  run: async ({ connect, waitFor }) => {
    const { client } = await connect();
    const { systemStop } = await import("@daos/control-client");
    const results = await waitFor(systemStop(client));
    const failed = results.filter(({ ok }) => !ok);
    return {
      result: { results },
      text: (width) =>
        results.length === 0
          ? "The system has no members to stop"
          : formatTable({ columns: ["Rank", "Operation", "Result"], rows: groupActions(results) }, width),
      anyWell: results.some(({ ok }) => ok),
      failures: failed.map((action) => ({ host: undefined, fault: faultNotStopped(action) })),
    };
  },
});

/** One row for all members with the same result. */
function groupActions(results: readonly MemberAction[]): string[][] {
  const groups = Map.groupBy(results, ({ action, ok, message }) =>
    JSON.stringify([action, ok ? "OK" : message]),
  );
  return [...groups].map(([key, members]) => [
    showIds(members.map(({ id }) => id)),
    ...(JSON.parse(key) as string[]),
  ]);
}

/** Servers name members `10.0.0.1:10001/3`, `rank 3` or `3`; other names stay as they are. */
function showIds(ids: readonly string[]): string {
  const ranks = ids.map((id) => /^(?:rank[\s-]*|.*\/)?(\d{1,10})$/i.exec(id)?.[1]);
  return ranks.every((rank) => rank !== undefined)
    ? formatRankSet(ranks.map((rank): Rank => parseRank(rank)))
    : ids.join(",");
}

function faultNotStopped({ id, action, message }: MemberAction): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.engineNotRunning,
    description: `${action} of ${id}`,
    reason: message,
    resolution: "look in the log of that member's server, then stop the system again",
  });
}

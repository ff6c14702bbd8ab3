import type { Leadership } from "@daos/election";
import type { Harness } from "@daos/harness";
import { formatHostAddress } from "@daos/hostlist";
import type { SupportItem } from "@daos/support";
import { jsonText } from "./json-text.ts";

export interface ServerItemsOptions {
  readonly harness: Pick<Harness, "instances">;
  readonly leadership: Leadership;
  /** The page for Prometheus; undefined without `telemetry_port`. */
  readonly metrics: (() => Promise<string>) | undefined;
}

/** The items that need the running server. Only the leader has all of them; on other hosts `missing.txt` lists the rest. */
export function serverItems({ harness, leadership, metrics }: ServerItemsOptions): readonly SupportItem[] {
  return [
    {
      name: "engines.json",
      read: async () =>
        jsonText(
          harness.instances.map(({ index, state, superblock, restarts }) => ({
            index,
            rank: superblock?.rank,
            uuid: superblock?.uuid,
            state: state.kind,
            restarts,
          })),
        ),
    },
    {
      name: "leadership.json",
      read: async () =>
        jsonText({
          leadsHere: leadership.leadsHere,
          leader: leadership.leader && formatHostAddress(leadership.leader),
          accessPoints: leadership.accessPoints.map(({ address }) => formatHostAddress(address)),
        }),
    },
    { name: "members.json", read: async (wait) => jsonText(await leadership.members(wait)) },
    { name: "pools.json", read: async () => jsonText(leadership.pools().list()) },
    { name: "events.json", read: async () => jsonText(leadership.membership().events.list()) },
    {
      name: "metrics.txt",
      read: async () => {
        if (metrics === undefined) throw new Error("telemetry_port is not set");
        return metrics();
      },
    },
  ];
}

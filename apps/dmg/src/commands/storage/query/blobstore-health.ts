import { faultUsage } from "@daos/cli";
import { type Answer, success } from "../../../answer.ts";
import { defineCommand } from "../../../define-command.ts";
import { parseUuid } from "../../../parse-uuid.ts";
import { devicesHealth } from "../../../storage/devices-health.ts";
import { showHealth } from "../../../storage/show-health.ts";
import { SELECTION_FLAGS } from "../../../system/selection.ts";

/** `dmg storage query blobstore-health`. @see DAOS 0.8.0 src/control/cmd/dmg/storage_query.go bsHealthQueryCmd */
export const blobstoreHealthCommand = defineCommand({
  name: "storage query blobstore-health",
  alias: "b",
  summary: "Show the health of a device as its blobstore has seen it",
  description:
    "It queries the engine on the leader's host, as in release 0.8.0, or the engines in --ranks or --rank-hosts on any host. dmg storage query device-health queries the engines of all hosts.",
  examples: [
    {
      text: "The device of target 0",
      line: "storage query blobstore-health -t 0",
    },
    {
      text: "The device of target 0 of each engine on two hosts",
      line: "storage query blobstore-health -t 0 --rank-hosts node[1-2]",
    },
    {
      text: "One device (dmg storage query smd lists them)",
      line: "storage query blobstore-health -u 842c739b-86b5-462f-a7ba-b4a91b674f3d",
    },
  ],
  flags: {
    ...SELECTION_FLAGS,
    devuuid: { type: "string", char: "u", value: "UUID", summary: "the device", excludes: "tgtid" },
    tgtid: { type: "string", char: "t", value: "ID", summary: "a target that uses the device" },
  },
  run: async (context): Promise<Answer> => {
    const { flags, connect, waitFor } = context;
    const selector = select(flags.devuuid, flags.tgtid);
    if (flags.ranks !== undefined || flags["rank-hosts"] !== undefined)
      return devicesHealth(context, selector);
    const { client } = await connect();
    const { blobstoreHealth } = await import("@daos/control-client");
    const health = await waitFor(blobstoreHealth(client, selector));
    return success(health, () => showHealth(health));
  },
});

function select(uuid: string | undefined, target: string | undefined) {
  if (uuid !== undefined) return { kind: "device", uuid: parseUuid(uuid, "a device") } as const;
  if (target === undefined)
    throw faultUsage(
      "--devuuid or --tgtid is missing",
      "name it with --devuuid, or one of its targets with --tgtid",
    );
  if (!/^\d{1,9}$/.test(target))
    throw faultUsage(`"${target}" is not a target`, "targets are numbers from 0");
  return { kind: "target", id: target } as const;
}

import { faultUsage } from "@daos/cli";
import { defineCommand } from "../../../define-command.ts";
import { parseUuid } from "../../../parse-uuid.ts";
import { devicesHealth } from "../../../storage/devices-health.ts";
import { SELECTION_FLAGS } from "../../../system/selection.ts";

/** `dmg storage query device-health`, as in later releases of DAOS. */
export const deviceHealthCommand = defineCommand({
  name: "storage query device-health",
  summary: "Show the health of the devices of every engine, as their blobstores have seen it",
  examples: [
    { text: "All devices of the system", line: "storage query device-health" },
    {
      text: "One device, on any host",
      line: "storage query device-health -u 842c739b-86b5-462f-a7ba-b4a91b674f3d",
    },
    { text: "The device of target 0 of rank 3", line: "storage query device-health -t 0 --ranks 3" },
  ],
  flags: {
    ...SELECTION_FLAGS,
    uuid: { type: "string", char: "u", value: "UUID", summary: "only this device", excludes: "tgtid" },
    tgtid: {
      type: "string",
      char: "t",
      value: "ID",
      summary: "only the device that this target of each engine uses",
    },
  },
  run: async (context) => devicesHealth(context, select(context.flags.uuid, context.flags.tgtid)),
});

function select(uuid: string | undefined, target: string | undefined) {
  if (uuid !== undefined) return { kind: "device", uuid: parseUuid(uuid, "a device") } as const;
  if (target === undefined) return { kind: "all" } as const;
  if (!/^\d{1,9}$/.test(target))
    throw faultUsage(`"${target}" is not a target`, "targets are numbers from 0");
  return { kind: "target", id: target } as const;
}

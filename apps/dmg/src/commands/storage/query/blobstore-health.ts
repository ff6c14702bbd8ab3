import { faultUsage, formatCelsius, formatFields, printable } from "@daos/cli";
import type { BlobstoreHealth } from "@daos/control-client";
import { success } from "../../../answer.ts";
import { defineCommand } from "../../../define-command.ts";
import { parseUuid } from "../../../parse-uuid.ts";

/** `dmg storage query blobstore-health`. @see DAOS 0.8.0 src/control/cmd/dmg/storage_query.go bsHealthQueryCmd */
export const blobstoreHealthCommand = defineCommand({
  name: "storage query blobstore-health",
  alias: "b",
  summary: "Show the health of a device as its blobstore has seen it",
  examples: [
    {
      text: "The device of target 0",
      line: "storage query blobstore-health -t 0",
    },
    {
      text: "One device (dmg storage query smd lists them)",
      line: "storage query blobstore-health -u 842c739b-86b5-462f-a7ba-b4a91b674f3d",
    },
  ],
  flags: {
    devuuid: { type: "string", char: "u", value: "UUID", summary: "the device", excludes: "tgtid" },
    tgtid: { type: "string", char: "t", value: "ID", summary: "a target that uses the device" },
  },
  run: async ({ flags, connect, waitFor }) => {
    const selector = select(flags.devuuid, flags.tgtid);
    const { client } = await connect();
    const { blobstoreHealth } = await import("@daos/control-client");
    const health = await waitFor(blobstoreHealth(client, selector));
    return success(health, () => show(health));
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

function show(health: BlobstoreHealth): string {
  const flag = (set: boolean) => (set ? "WARNING" : "ok");
  const fields = [
    ["Read errors", `${health.readErrors}`],
    ["Write errors", `${health.writeErrors}`],
    ["Unmap errors", `${health.unmapErrors}`],
    ["Checksum errors", `${health.checksumErrors}`],
    ["Media errors", `${health.mediaErrors}`],
    ["Error log entries", `${health.errorCount}`],
    ["Temperature", formatCelsius(health.temperatureK)],
    ["Temperature state", flag(health.temperatureWarning)],
    ["Available spare", flag(health.availableSpareWarning)],
    ["Device reliability", flag(health.reliabilityWarning)],
    ["Read only", flag(health.readOnlyWarning)],
    ["Volatile memory backup", flag(health.volatileMemoryWarning)],
  ] as const;
  return `Device UUID: ${printable(health.deviceUuid)}\n${formatFields(fields)}`;
}

import { formatTable } from "@daos/cli";
import type { SmdDevice, SmdPool } from "@daos/control-client";
import { success } from "../../../answer.ts";
import { defineCommand } from "../../../define-command.ts";

/** `dmg storage query smd`. @see DAOS 0.8.0 src/control/cmd/dmg/storage_query.go smdQueryCmd */
export const smdCommand = defineCommand({
  name: "storage query smd",
  alias: "s",
  summary: "Show which devices and pools an engine's metadata lists",
  examples: [
    { text: "Devices and pools", line: "storage query smd" },
    { text: "Devices only", line: "storage query smd -d" },
  ],
  flags: {
    devices: { type: "boolean", char: "d", summary: "devices (default both)" },
    pools: { type: "boolean", char: "p", summary: "pools (default both)" },
  },
  run: async ({ flags, connect, waitFor }) => {
    const both = flags.devices === flags.pools;
    const { client } = await connect();
    const { smdListDevices, smdListPools } = await import("@daos/control-client");
    const devices = both || flags.devices ? await waitFor(smdListDevices(client)) : undefined;
    const pools = both || flags.pools ? await waitFor(smdListPools(client)) : undefined;
    return success({ devices: devices ?? null, pools: pools ?? null }, (width) =>
      [devices && showDevices(devices, width), pools && showPools(pools, width)]
        .filter((text) => text !== undefined)
        .join("\n\n"),
    );
  },
});

function showDevices(devices: readonly SmdDevice[], width: number): string {
  if (devices.length === 0) return "No devices";
  const rows = devices.map(({ uuid, targets }) => [uuid, targets.join(" ")]);
  return formatTable({ columns: ["Device UUID", "Targets"], rows }, width);
}

function showPools(pools: readonly SmdPool[], width: number): string {
  if (pools.length === 0) return "No pools";
  const rows = pools.map(({ uuid, targets, blobs }) => [uuid, targets.join(" "), blobs.join(" ")]);
  return formatTable({ columns: ["Pool UUID", "Targets", "Blobs"], rows }, width);
}

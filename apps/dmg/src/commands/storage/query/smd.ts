import { FaultCode } from "@daos/fault";
import { defineCommand } from "../../../define-command.ts";
import { type AskedEngines, askEngines, ofEngines } from "../../../storage/ask-engines.ts";
import {
  devicesOf,
  type FoundDevice,
  type FoundPool,
  poolsOf,
  showDevices,
  showPools,
} from "../../../storage/show-devices.ts";
import { SELECTION_FLAGS } from "../../../system/selection.ts";

/** `dmg storage query smd`. @see DAOS 0.8.0 src/control/cmd/dmg/storage_query.go smdQueryCmd */
export const smdCommand = defineCommand({
  name: "storage query smd",
  alias: "s",
  summary: "Show which devices and pools the metadata of every engine lists",
  description:
    "Servers of release 0.8.0 answer for the engine on the leader's host only, without its host and rank, which are shown as -.",
  examples: [
    { text: "Devices and pools", line: "storage query smd" },
    { text: "Devices only", line: "storage query smd -d" },
  ],
  flags: {
    devices: { type: "boolean", char: "d", summary: "devices (default both)" },
    pools: { type: "boolean", char: "p", summary: "pools (default both)" },
    ...SELECTION_FLAGS,
  },
  run: async (context) => {
    const { flags, waitFor } = context;
    const both = flags.devices === flags.pools;
    const wanted = { devices: both || flags.devices, pools: both || flags.pools };
    const asked = await askEngines(context, wanted);
    const old = areTooOld(asked);
    const { devices, pools } = old
      ? await waitFor(askLeader(asked.client, wanted))
      : { devices: devicesOf(asked.engines), pools: poolsOf(asked.engines) };
    return {
      result: { devices: wanted.devices ? devices : null, pools: wanted.pools ? pools : null },
      text: (width) =>
        ofEngines(old ? { ...asked, failures: [] } : asked, () =>
          [
            ...(wanted.devices ? [showDevices(devices, width)] : []),
            ...(wanted.pools ? [showPools(pools, width)] : []),
          ].join("\n\n"),
        ),
      anySucceeded: old || asked.engines.length > 0,
      failures: old ? [] : asked.failures,
    };
  },
});

function areTooOld({ engines, failures }: AskedEngines): boolean {
  return (
    engines.length === 0 &&
    failures.length > 0 &&
    failures.every(({ fault }) => fault.code === FaultCode.requestUnsupported)
  );
}

/** The way of release 0.8.0. */
async function askLeader(
  client: AskedEngines["client"],
  wanted: { readonly devices: boolean; readonly pools: boolean },
): Promise<{ readonly devices: readonly FoundDevice[]; readonly pools: readonly FoundPool[] }> {
  const { smdListDevices, smdListPools } = await import("@daos/control-client");
  const unknown = { host: null, rank: null };
  const devices = wanted.devices ? await smdListDevices(client) : [];
  const pools = wanted.pools ? await smdListPools(client) : [];
  return {
    devices: devices.map((device) => ({ ...unknown, ...device })),
    pools: pools.map((pool) => ({ ...unknown, ...pool })),
  };
}

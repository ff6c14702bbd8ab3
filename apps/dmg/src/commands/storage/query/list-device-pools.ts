import { defineCommand } from "../../../define-command.ts";
import { askEngines, ofEngines } from "../../../storage/ask-engines.ts";
import { poolsOf, showPools } from "../../../storage/show-devices.ts";
import { SELECTION_FLAGS } from "../../../system/selection.ts";

/** `dmg storage query list-pools`, as in later releases of DAOS. */
export const listDevicePoolsCommand = defineCommand({
  name: "storage query list-pools",
  summary: "Show the pools on the NVMe devices of every engine, with host and rank",
  examples: [
    { text: "All engines of the system", line: "storage query list-pools" },
    { text: "The engines of one host", line: "storage query list-pools --rank-hosts node1" },
  ],
  flags: SELECTION_FLAGS,
  run: async (context) => {
    const { engines, failures } = await askEngines(context, { pools: true });
    const pools = poolsOf(engines);
    return {
      result: { pools },
      text: (width) => ofEngines({ engines, failures }, () => showPools(pools, width)),
      anySucceeded: engines.length > 0,
      failures,
    };
  },
});

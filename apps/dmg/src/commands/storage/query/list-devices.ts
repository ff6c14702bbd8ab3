import { defineCommand } from "../../../define-command.ts";
import { askEngines, ofEngines } from "../../../storage/ask-engines.ts";
import { devicesOf, showDevices } from "../../../storage/show-devices.ts";
import { SELECTION_FLAGS } from "../../../system/selection.ts";

/** `dmg storage query list-devices`, as in later releases of DAOS. */
export const listDevicesCommand = defineCommand({
  name: "storage query list-devices",
  summary: "Show the NVMe devices of every engine, with host and rank",
  examples: [
    { text: "All engines of the system", line: "storage query list-devices" },
    { text: "Two ranks", line: "storage query list-devices --ranks 0,3" },
  ],
  flags: SELECTION_FLAGS,
  run: async (context) => {
    const { engines, failures } = await askEngines(context, { devices: true });
    const devices = devicesOf(engines);
    return {
      result: { devices },
      text: (width) => ofEngines({ engines, failures }, () => showDevices(devices, width)),
      anySucceeded: engines.length > 0,
      failures,
    };
  },
});

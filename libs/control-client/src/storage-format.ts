import type { Fault } from "@daos/fault";
import type { ControlClient, HostResult } from "./control-client.ts";
import { stateFault } from "./status.ts";

export interface StorageFormatRequest {
  /** Formats also what holds data already. Its data is lost. */
  readonly reformat: boolean;
}

/** The result for one mount point or one device. */
export interface FormatResult {
  /** `/mnt/daos`, or a PCI address. */
  readonly target: string;
  readonly fault: Fault | undefined;
}

/** What one host formatted. */
export interface StorageFormat {
  readonly scm: readonly FormatResult[];
  readonly nvme: readonly FormatResult[];
}

const TWO_HOURS_MS = 2 * 60 * 60 * 1000;

/** Formats the configured storage of every host, for engines that wait for it. */
export function storageFormat(
  client: ControlClient,
  request: StorageFormatRequest,
): AsyncGenerator<HostResult<StorageFormat>> {
  return client.eachHost({
    attempted: "format storage",
    timeoutMs: TWO_HOURS_MS,
    call: async ({ ctl }, options) => {
      const scm: FormatResult[] = [];
      const nvme: FormatResult[] = [];
      const message = { nvme: {}, scm: {}, reformat: request.reformat };
      for await (const { mrets, crets } of ctl.storageFormat(message, options)) {
        for (const { mntpoint, state } of mrets) {
          scm.push({ target: mntpoint, fault: stateFault("scm", `format SCM at ${mntpoint}`, state) });
        }
        for (const { pciaddr, state } of crets) {
          nvme.push({ target: pciaddr, fault: stateFault("bdev", `format NVMe ${pciaddr}`, state) });
        }
      }
      return { scm, nvme };
    },
  });
}

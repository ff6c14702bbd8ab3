import type { Fault } from "@daos/fault";
import type { ControlClient, HostResult } from "./control-client.ts";
import { stateFault } from "./status.ts";
import { readNamespace, type ScmNamespace } from "./storage-scan.ts";

/** The storage to prepare. An absent part is not changed. */
export interface StoragePrepareRequest {
  readonly nvme?:
    | {
        /** PCI addresses, separated by white space; all controllers when empty. */
        readonly pciWhitelist: string;
        /** 0 for the server's default. */
        readonly hugepages: number;
        /** Owner of the devices; empty for the server's user. */
        readonly targetUser: string;
        readonly reset: boolean;
      }
    | undefined;
  readonly scm?: { readonly reset: boolean } | undefined;
}

/** The preparation of one host. */
export interface StoragePrepare {
  readonly nvme: { readonly info: string; readonly fault: Fault | undefined } | undefined;
  readonly scm:
    | {
        readonly namespaces: readonly ScmNamespace[];
        /** The remaining steps, such as a reboot; may be empty. */
        readonly info: string;
        readonly fault: Fault | undefined;
      }
    | undefined;
}

const HALF_HOUR_MS = 30 * 60_000;

/** Prepares the storage hardware of every host for use by engines, or resets it. */
export function storagePrepare(
  client: ControlClient,
  request: StoragePrepareRequest,
): AsyncGenerator<HostResult<StoragePrepare>> {
  const { nvme, scm } = request;
  const message = {
    ...(nvme && {
      nvme: {
        pciwhitelist: nvme.pciWhitelist,
        nrhugepages: nvme.hugepages,
        targetuser: nvme.targetUser,
        reset: nvme.reset,
      },
    }),
    ...(scm && { scm: { reset: scm.reset } }),
  };
  return client.eachHost({
    attempted: "prepare storage",
    timeoutMs: HALF_HOUR_MS,
    call: async ({ ctl }, options) => {
      const response = await ctl.storagePrepare(message, options);
      return {
        nvme: response.nvme && {
          info: response.nvme.state?.info ?? "",
          fault: stateFault("bdev", "prepare NVMe", response.nvme.state),
        },
        scm: response.scm && {
          namespaces: response.scm.pmems.map(readNamespace),
          info: response.scm.state?.info ?? "",
          fault: stateFault("scm", "prepare SCM", response.scm.state),
        },
      };
    },
  });
}

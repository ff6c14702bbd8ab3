import type { CallOptions } from "@connectrpc/connect";
import type { Fault } from "@daos/fault";
import type { ctl } from "@daos/proto";
import { FORMAT_TIMEOUT_MS } from "@daos/sys";
import type { ControlClient, HostResult } from "./control-client.ts";
import { isUnimplemented, type OnDeviceProgress, readProgress } from "./device-progress.ts";
import type { HostConnection } from "./host-connection.ts";
import { stateFault } from "./status.ts";

export interface StorageFormatRequest {
  /** Formats also storage with data. The data is lost. */
  readonly reformat: boolean;
  /** Called with the progress of every device, by servers that support it. */
  readonly onProgress?: OnDeviceProgress;
}

/** The result for one mount point or one device. */
export interface FormatResult {
  /** `/mnt/daos`, or a PCI address. */
  readonly target: string;
  readonly fault: Fault | undefined;
}

/** The format of one host. */
export interface StorageFormat {
  readonly scm: readonly FormatResult[];
  readonly nvme: readonly FormatResult[];
}

/**
 * Formats the configured storage of every host whose engines wait for it. Servers of release 0.8.0 get their own
 * request, without progress.
 */
export function storageFormat(
  client: ControlClient,
  request: StorageFormatRequest,
): AsyncGenerator<HostResult<StorageFormat>> {
  return client.eachHost({
    attempted: "format storage",
    timeoutMs: FORMAT_TIMEOUT_MS,
    call: async (connection, options) => {
      try {
        return await formatWatched(connection, request, options);
      } catch (error) {
        if (!isUnimplemented(error)) throw error;
      }
      const parts: StorageFormat[] = [];
      const message = { nvme: {}, scm: {}, reformat: request.reformat };
      for await (const answer of connection.ctl.storageFormat(message, options)) {
        parts.push(readFormat(answer));
      }
      return { scm: parts.flatMap(({ scm }) => scm), nvme: parts.flatMap(({ nvme }) => nvme) };
    },
  });
}

async function formatWatched(
  { ctl, host }: HostConnection,
  { reformat, onProgress }: StorageFormatRequest,
  options: CallOptions,
): Promise<StorageFormat> {
  let results: StorageFormat = { scm: [], nvme: [] };
  for await (const { event } of ctl.storageFormatWatch({ reformat }, options)) {
    if (event.case === "progress") onProgress?.(host, readProgress(event.value));
    else if (event.case === "results") results = readFormat(event.value);
  }
  return results;
}

function readFormat({ mrets, crets }: ctl.StorageFormatResp): StorageFormat {
  return {
    scm: mrets.map(({ mntpoint, state }) => ({
      target: mntpoint,
      fault: stateFault("scm", `format SCM at ${mntpoint}`, state),
    })),
    nvme: crets.map(({ pciaddr, state }) => ({
      target: pciaddr,
      fault: stateFault("bdev", `format NVMe ${pciaddr}`, state),
    })),
  };
}

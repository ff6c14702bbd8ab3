import type { CallOptions } from "@connectrpc/connect";
import { Fault, FaultCode } from "@daos/fault";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import type { ControlClient, HostResult } from "./control-client.ts";
import type { OnDeviceProgress } from "./device-progress.ts";
import { readStream } from "./read-stream.ts";
import { faultServerTooOld, isUnimplemented } from "./unimplemented.ts";

export interface SupportCollectRequest {
  /** Maximum size of the part of each log, MiB; the server's default when undefined. */
  readonly logMib: number | undefined;
  /** Gets the bytes of a host's archive, in order. */
  readonly onChunk: (host: HostAddress, bytes: Uint8Array) => Promise<void>;
  readonly onProgress?: OnDeviceProgress | undefined;
}

/** The result for a host's archive. */
export interface SupportArchive {
  readonly bytes: number;
  /** The items that the host could not collect, with the reasons. */
  readonly missing: readonly { readonly item: string; readonly reason: string }[];
}

/** A server sends less than half of this. */
const MAX_BYTES = 512 * 1024 * 1024;
const TIMEOUT_MS = 15 * 60_000;

/** Gets an archive for support from every host. */
export function supportCollect(
  client: ControlClient,
  { logMib = 0, onChunk, onProgress }: SupportCollectRequest,
): AsyncGenerator<HostResult<SupportArchive>> {
  return client.eachHost({
    attempted: "collect the logs",
    timeoutMs: TIMEOUT_MS,
    call: async (connection, options) => {
      const { host } = connection;
      let bytes = 0;
      let archive: SupportArchive | undefined;
      try {
        const open = (own: CallOptions) => connection.ctl.supportCollect({ logMib }, own);
        for await (const { event } of readStream(open, options)) {
          if (event.case === "progress") {
            const { item, done, total } = event.value;
            const fraction = total === 0 ? 0 : Math.min(1, done / total);
            const unknown = { elapsedMs: 0, remainingMs: undefined };
            onProgress?.(host, { device: "archive", step: item, fraction, ...unknown });
          } else if (event.case === "chunk") {
            bytes += event.value.length;
            if (bytes > MAX_BYTES) throw faultIncomplete(host, `it sends more than ${MAX_BYTES} bytes`);
            await onChunk(host, event.value);
          } else if (event.case === "result") {
            const missing = event.value.missing.map(({ item, reason }) => ({ item, reason }));
            archive = { bytes, missing };
          }
        }
      } catch (error) {
        if (!isUnimplemented(error)) throw error;
        throw faultServerTooOld("collect the logs", "", connection, error);
      }
      if (archive !== undefined) return archive;
      throw faultIncomplete(host, "it ended before the archive was complete");
    },
  });
}

function faultIncomplete(host: HostAddress, reason: string): Fault {
  return new Fault({
    domain: "client",
    code: FaultCode.connectionLost,
    description: `cannot collect the logs on ${formatHostAddress(host)}`,
    reason,
    resolution: "look at the server's log, then repeat the command",
  });
}

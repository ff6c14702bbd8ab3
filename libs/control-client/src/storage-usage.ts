import type { Fault } from "@daos/fault";
import type { ctl } from "@daos/proto";
import type { ControlClient, HostResult } from "./control-client.ts";
import { stateFault } from "./status.ts";
import { faultServerTooOld, isUnimplemented } from "./unimplemented.ts";

/** A size, or why it is unknown. */
export type UsagePart<Sizes> =
  | ({ readonly kind: "known" } & Sizes)
  | { readonly kind: "unknown"; readonly fault: Fault };

/** The storage size of one engine. */
export interface EngineUsage {
  readonly index: number;
  /** Absent until the engine has joined the system. */
  readonly rank: number | undefined;
  /** The mount point of its SCM. */
  readonly mount: string;
  readonly scm: UsagePart<{ readonly totalBytes: bigint; readonly availableBytes: bigint }>;
  /** The size of its configured devices. Only the engine knows how much is used. */
  readonly nvme: UsagePart<{ readonly totalBytes: bigint }>;
}

/** Asks every host for the storage size of its engines, and for the used SCM. */
export function storageUsage(client: ControlClient): AsyncGenerator<HostResult<readonly EngineUsage[]>> {
  return client.eachHost({
    attempted: "query the use of storage",
    timeoutMs: 60_000,
    call: async (connection, options) => {
      try {
        return (await connection.ctl.storageUsage({}, options)).engines.map(readUsage);
      } catch (error) {
        if (!isUnimplemented(error)) throw error;
        throw faultServerTooOld("query the use of storage", "", connection, error);
      }
    },
  });
}

function readUsage(engine: ctl.StorageUsageResp_Engine): EngineUsage {
  const { index, rank, mount, scmState, nvmeState } = engine;
  const scmFault = stateFault("scm", `query the SCM of engine ${index}`, scmState);
  const nvmeFault = stateFault("bdev", `query the NVMe of engine ${index}`, nvmeState);
  return {
    index,
    rank,
    mount,
    scm:
      scmFault === undefined
        ? { kind: "known", totalBytes: engine.scmTotal, availableBytes: engine.scmAvailable }
        : { kind: "unknown", fault: scmFault },
    nvme:
      nvmeFault === undefined
        ? { kind: "known", totalBytes: engine.nvmeTotal }
        : { kind: "unknown", fault: nvmeFault },
  };
}

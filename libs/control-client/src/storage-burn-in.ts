import type { Fault } from "@daos/fault";
import { ctl } from "@daos/proto";
import type { ControlClient, HostResult } from "./control-client.ts";
import { type OnDeviceProgress, readProgress } from "./device-progress.ts";
import { stateFault } from "./status.ts";

export interface StorageBurnInRequest {
  /** PCI addresses; empty for every controller without data. */
  readonly devices: readonly string[];
  /** Per controller. Controllers run concurrently. */
  readonly seconds: number;
  readonly onProgress?: OnDeviceProgress;
}

/** The result of one controller. */
export interface BurnInResult {
  readonly pciAddress: string;
  /**
   * `refused`: it was not started, and the fault has the reason. `skipped`: it was not named in the request and cannot
   * be used.
   */
  readonly verdict: "passed" | "failed" | "aborted" | "skipped" | "refused";
  readonly fault: Fault | undefined;
  readonly bytesWritten: number;
  readonly bytesVerified: number;
  readonly elapsedMs: number;
  /** The first bad ranges. */
  readonly blockErrors: readonly string[];
  readonly findings: readonly string[];
  /** Why it was skipped. */
  readonly reason: string;
}

/** The burn-in of one host. */
export interface StorageBurnIn {
  readonly controllers: readonly BurnInResult[];
}

/** Additional time, to start and to leave the controllers empty. */
const MARGIN_MS = 10 * 60_000;

/** Writes and verifies empty NVMe controllers of every host. */
export function storageBurnIn(
  client: ControlClient,
  request: StorageBurnInRequest,
): AsyncGenerator<HostResult<StorageBurnIn>> {
  const { devices, seconds, onProgress } = request;
  return client.eachHost({
    attempted: "burn in storage",
    timeoutMs: seconds * 1000 + MARGIN_MS,
    call: async ({ ctl: service, host }, options) => {
      const controllers: BurnInResult[] = [];
      for await (const { event } of service.storageBurnIn({ devices: [...devices], seconds }, options)) {
        if (event.case === "progress") onProgress?.(host, readProgress(event.value));
        else if (event.case === "results") controllers.push(...event.value.results.map(readResult));
      }
      return { controllers };
    },
  });
}

const VERDICTS: Readonly<Record<number, BurnInResult["verdict"]>> = {
  [ctl.BurnInVerdict.BURN_IN_PASSED]: "passed",
  [ctl.BurnInVerdict.BURN_IN_FAILED]: "failed",
  [ctl.BurnInVerdict.BURN_IN_ABORTED]: "aborted",
  [ctl.BurnInVerdict.BURN_IN_SKIPPED]: "skipped",
};

function readResult(message: ctl.BurnInResult): BurnInResult {
  const { pciaddr, verdict, state, errors, findings, reason } = message;
  return {
    pciAddress: pciaddr,
    verdict: VERDICTS[verdict] ?? "refused",
    fault: stateFault("bdev", `burn in NVMe ${pciaddr}`, state),
    bytesWritten: Number(message.bytesWritten),
    bytesVerified: Number(message.bytesVerified),
    elapsedMs: Number(message.elapsedMs),
    blockErrors: errors,
    findings,
    reason,
  };
}

import { Code, ConnectError } from "@connectrpc/connect";
import type { HostAddress } from "@daos/hostlist";
import type { ctl } from "@daos/proto";

/** The progress of a host's work on one device. */
export interface DeviceProgress {
  /** `/mnt/daos`, or a PCI address. */
  readonly device: string;
  /** `waiting`, `format`, `zero`, `verify`, `write`, `done`, `failed`, `skipped`, ... */
  readonly step: string;
  /** From 0 to 1. */
  readonly fraction: number;
  readonly elapsedMs: number;
  /** Undefined until the host can estimate it. */
  readonly remainingMs: number | undefined;
}

export type OnDeviceProgress = (host: HostAddress, progress: DeviceProgress) => void;

/** Reads the progress from a message. */
export function readProgress(message: ctl.DeviceProgress): DeviceProgress {
  const { device, step, fraction, elapsedMs, remainingMs } = message;
  return {
    device,
    step,
    fraction: Math.min(1, Math.max(0, fraction)),
    elapsedMs: Number(elapsedMs),
    remainingMs: remainingMs === undefined ? undefined : Number(remainingMs),
  };
}

/** True when the server is too old for a call. It has done nothing. */
export function isUnimplemented(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Unimplemented;
}

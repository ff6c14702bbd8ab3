import { Code, ConnectError } from "@connectrpc/connect";
import type { HostAddress } from "@daos/hostlist";
import type { ctl } from "@daos/proto";

/** How far a host's work on one device has come. */
export interface DeviceProgress {
  /** `/mnt/daos`, or a PCI address. */
  readonly device: string;
  /** `waiting`, `format`, `zero`, `verify`, `write`, `done`, `failed`, `skipped`, ... */
  readonly step: string;
  /** From 0 to 1. */
  readonly fraction: number;
  readonly elapsedMs: number;
  /** Undefined until the host has something to go by. */
  readonly remainingMs: number | undefined;
}

export type OnDeviceProgress = (host: HostAddress, progress: DeviceProgress) => void;

/** The progress of a message. */
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

/** True for the answer of a server that is too old for a call: it has done nothing. */
export function isUnimplemented(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Unimplemented;
}

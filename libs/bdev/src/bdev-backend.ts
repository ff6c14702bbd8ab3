import type { NvmeController } from "./bdev-types.ts";

export interface BdevCallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** How far the work on one device has come. */
export type DeviceProgress = (done: bigint, total: bigint) => void;

/**
 * The port behind which controllers are found and wiped: by the kernel's driver ({@link KernelBackend}) or by an SPDK
 * target. A contract suite runs on every implementation.
 */
export interface BdevBackend {
  readonly name: string;
  /** The controllers that this backend can speak of, with identity and, where it can be asked, health. */
  scan(options?: BdevCallOptions): Promise<readonly NvmeController[]>;
}

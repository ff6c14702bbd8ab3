import type { NvmeController } from "./bdev-types.ts";
import type { BurnInVerdict } from "./burn-in.ts";

export interface BdevCallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface BdevScanOptions extends BdevCallOptions {
  /** Also read health data, one request to each controller; true by default. */
  readonly health?: boolean;
}

/** Progress of the wipe of a controller. */
export interface WipeProgress {
  readonly step: "format" | "zero" | "verify";
  /** The done fraction of the whole wipe, from 0 to 1; it never falls. */
  readonly fraction: number;
}

export interface WipeOptions extends BdevCallOptions {
  /** Erase what the controller holds. Otherwise a controller that holds data is refused. */
  readonly reformat?: boolean | undefined;
  readonly onProgress?: ((progress: WipeProgress) => void) | undefined;
}

export interface BackendBurnInOptions extends BdevCallOptions {
  readonly durationMs: number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly onProgress?: ((fraction: number) => void) | undefined;
}

/**
 * The port behind which controllers are found and wiped: by the kernel's driver (`KernelBackend`) or by an SPDK target
 * (`SpdkBackend`). One contract suite runs on both.
 */
export interface BdevBackend {
  readonly name: string;
  /** The controllers that this backend sees, with identity and, if available, health. */
  scan(options?: BdevScanOptions): Promise<readonly NvmeController[]>;
  /**
   * Checks without a change whether {@link wipe} would refuse this controller.
   *
   * @throws Fault as {@link wipe}, before it changes anything
   */
  checkWipe(pciAddress: string, options?: WipeOptions): Promise<void>;
  /**
   * Empties a controller's namespaces and verifies by reading that no file system, partition table or blobstore can be
   * found on them. It can be repeated after an interruption.
   *
   * @throws Fault bdevMissingDevice, bdevInUse, bdevHoldsData, bdevFormatFailed, bdevVanished; the signal's reason
   */
  wipe(pciAddress: string, options?: WipeOptions): Promise<void>;
  /**
   * Writes and verifies an empty controller for some time, and leaves it empty. An abort gives the verdict `aborted`.
   * Undefined when the backend does not support it.
   *
   * @throws Fault bdevBurnInFailed when the controller is not empty; else as {@link wipe}
   */
  burnIn?(pciAddress: string, options: BackendBurnInOptions): Promise<BurnInVerdict>;
}

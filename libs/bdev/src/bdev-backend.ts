import type { NvmeController } from "./bdev-types.ts";
import type { BurnInVerdict } from "./burn-in.ts";

export interface BdevCallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface BdevScanOptions extends BdevCallOptions {
  /** Health data too, which every controller has to be asked for; true by default. */
  readonly health?: boolean;
}

/** How far the wipe of a controller has come. */
export interface WipeProgress {
  readonly step: "format" | "zero" | "verify";
  /** Of the whole wipe, from 0 to 1, never falling. */
  readonly fraction: number;
}

export interface WipeOptions extends BdevCallOptions {
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
  /** The controllers that this backend can speak of, with identity and, where it can be asked, health. */
  scan(options?: BdevScanOptions): Promise<readonly NvmeController[]>;
  /**
   * Makes a controller's namespaces empty: no file system, partition table or blobstore is found on them afterwards,
   * which is verified by reading again. It may be repeated after an interruption.
   *
   * @throws Fault bdevMissingDevice, bdevInUse, bdevFormatFailed, bdevVanished; the signal's reason
   */
  wipe(pciAddress: string, options?: WipeOptions): Promise<void>;
  /**
   * Writes and verifies an empty controller for some time, and leaves it empty. An abort has the verdict `aborted`.
   * Missing where the backend cannot do it.
   *
   * @throws Fault bdevBurnInFailed for one that is not empty; else as {@link wipe}
   */
  burnIn?(pciAddress: string, options: BackendBurnInOptions): Promise<BurnInVerdict>;
}

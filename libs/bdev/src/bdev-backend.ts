import type { NvmeController } from "./bdev-types.ts";

export interface BdevCallOptions {
  readonly signal?: AbortSignal | undefined;
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

/**
 * The port behind which controllers are found and wiped: by the kernel's driver (`KernelBackend`) or by an SPDK target
 * (`SpdkBackend`). One contract suite runs on both.
 */
export interface BdevBackend {
  readonly name: string;
  /** The controllers that this backend can speak of, with identity and, where it can be asked, health. */
  scan(options?: BdevCallOptions): Promise<readonly NvmeController[]>;
  /**
   * Makes a controller's namespaces empty: no file system, partition table or blobstore is found on them afterwards,
   * which is verified by reading again. It may be repeated after an interruption.
   *
   * @throws Fault bdevMissingDevice, bdevInUse, bdevFormatFailed, bdevVanished; the signal's reason
   */
  wipe(pciAddress: string, options?: WipeOptions): Promise<void>;
}

interface Wait {
  readonly signal: AbortSignal;
}

/**
 * The content of a file of an archive: text, from which secrets are removed, or a file of known size, which is copied
 * unchanged.
 */
export type SupportContent = string | SupportFile;

/** A file of known size, such as the archive of a host. */
interface SupportFile {
  readonly size: number;
  readonly parts: AsyncIterable<Uint8Array>;
}

/** One file of an archive. */
export interface SupportItem {
  /** Its path in the archive. */
  readonly name: string;
  /** @throws the reason that `missing.txt` gives for its absence */
  readonly read: (wait: Wait) => Promise<SupportContent>;
}

/** An item that could not be collected. */
export interface MissingItem {
  readonly item: string;
  readonly reason: string;
}

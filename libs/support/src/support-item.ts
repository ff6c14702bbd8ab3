interface Wait {
  readonly signal: AbortSignal;
}

/** What is in a file of an archive: text, from which secrets are removed, or a file of known size that is taken as it is. */
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
  /** @throws what its absence is explained with in `missing.txt` */
  readonly read: (wait: Wait) => Promise<SupportContent>;
}

/** Something that could not be had. */
export interface MissingItem {
  readonly item: string;
  readonly reason: string;
}

import { type FileHandle, link, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory } from "@daos/sys";
import { faultArchiveNotWritten } from "./faults.ts";
import type { SupportEvent } from "./pack-support.ts";
import { removeOnSignals } from "./remove-on-signals.ts";
import type { MissingItem } from "./support-item.ts";

/** A file that an archive was written to. */
interface WrittenArchive {
  readonly bytes: number;
  readonly missing: readonly MissingItem[];
}

type ProgressEvent = Extract<SupportEvent, { readonly kind: "progress" }>;

/**
 * Writes an archive to a new file that only its owner can read. The file appears when it is complete.
 *
 * @throws Fault archiveNotWritten when the file exists or cannot be written; errors of making the archive
 */
export async function writeArchive(
  path: string,
  events: AsyncIterable<SupportEvent>,
  onProgress: (progress: ProgressEvent) => void = () => {},
): Promise<WrittenArchive> {
  const part = `${path}.${process.pid}.part`;
  using _unfinished = removeOnSignals(part);
  const file: FileHandle = await guarded(path, open(part, "wx", 0o600));
  let bytes = 0;
  let missing: readonly MissingItem[] = [];
  try {
    for await (const event of events) {
      if (event.kind === "progress") onProgress(event);
      else if (event.kind === "done") missing = event.missing;
      else {
        bytes += event.bytes.length;
        await guarded(path, file.writeFile(event.bytes));
      }
    }
    await guarded(path, file.sync());
    // Linked, not renamed, so that an existing file is never replaced.
    await guarded(path, link(part, path));
    await syncDirectory(dirname(path));
    return { bytes, missing };
  } finally {
    await file.close();
    await rm(part, { force: true });
  }
}

async function guarded<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw faultArchiveNotWritten(path, error);
  }
}

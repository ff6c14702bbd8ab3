/** A file or directory of an initramfs. */
export interface ArchiveEntry {
  readonly path: string;
  /** Type and permissions, as in 0o40755 for a directory. */
  readonly mode: number;
  readonly content?: Uint8Array;
}

/** An archive in cpio's "newc" format, which the kernel unpacks. @see Linux Documentation/driver-api/early-userspace */
export function newcArchive(entries: readonly ArchiveEntry[]): Buffer {
  const all = [...entries, { path: "TRAILER!!!", mode: 0 }];
  return Buffer.concat(
    all.flatMap(({ path, mode, content = new Uint8Array() }: ArchiveEntry, index) => {
      const name = Buffer.from(`${path}\0`);
      const fields = [index + 1, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
      const header = Buffer.from(
        `070701${fields.map((value) => value.toString(16).padStart(8, "0")).join("")}`,
      );
      return [pad(Buffer.concat([header, name])), pad(content)];
    }),
  );
}

function pad(data: Uint8Array): Uint8Array {
  return Buffer.concat([data, Buffer.alloc((4 - (data.length % 4)) % 4)]);
}

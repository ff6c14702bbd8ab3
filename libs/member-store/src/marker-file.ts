import {
  closeSync,
  fchownSync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { hasErrorCode } from "@daos/sys";
import { decodeIdentity, encodeIdentity, type StoreIdentity } from "./store-identity.ts";

/** One slot is one sector, which disks write whole. */
const SLOT_BYTES = 512;

/** The content of a marker file. */
export type Marker =
  | { readonly kind: "absent" }
  | { readonly kind: "seen"; readonly identity: StoreIdentity }
  /** There was a marker; neither of its slots can be read. */
  | { readonly kind: "damaged" };

/**
 * Remembers which store of members this host has seen, and how far it had come. The file has two slots that are written
 * in turn, in place and with fdatasync: a crash damages at most the slot being written, and a full file system does not
 * prevent it.
 */
export class MarkerFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** @throws the failure of the file system */
  read(): Marker {
    const slots = this.#slots();
    if (slots === undefined) return { kind: "absent" };
    const newest = newestOf(slots);
    return newest === undefined ? { kind: "damaged" } : { kind: "seen", identity: newest };
  }

  /** Remembers an identity durably. @throws the failure of the file system */
  write(identity: StoreIdentity): void {
    const slots = this.#slots();
    const bytes = encodeSlot(identity);
    if (slots === undefined) {
      this.#create(bytes);
      return;
    }
    const newest = newestOf(slots);
    const slot = slots[0] !== undefined && slots[0] === newest ? 1 : 0;
    const fd = openSync(this.path, "r+");
    try {
      writeSync(fd, bytes, 0, SLOT_BYTES, slot * SLOT_BYTES);
      fdatasyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }

  #slots(): readonly [StoreIdentity | undefined, StoreIdentity | undefined] | undefined {
    let bytes: Buffer;
    try {
      bytes = readFileSync(this.path);
    } catch (error) {
      if (hasErrorCode(error, "ENOENT")) return undefined;
      throw error;
    }
    return [
      decodeSlot(bytes.subarray(0, SLOT_BYTES)),
      decodeSlot(bytes.subarray(SLOT_BYTES, 2 * SLOT_BYTES)),
    ];
  }

  /** Both slots get the same content, so that either may be lost. */
  #create(bytes: Buffer): void {
    const temporary = `${this.path}.tmp`;
    try {
      const fd = openSync(temporary, "w", 0o600);
      try {
        writeSync(fd, Buffer.concat([bytes, bytes]));
        if (process.getuid?.() === 0) {
          // A command that root runs leaves it to the user of the server.
          const { uid, gid } = statSync(dirname(this.path));
          fchownSync(fd, uid, gid);
        }
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
      renameSync(temporary, this.path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
    const directory = openSync(dirname(this.path), "r");
    try {
      fsyncSync(directory);
    } finally {
      closeSync(directory);
    }
  }
}

function newestOf(
  slots: readonly [StoreIdentity | undefined, StoreIdentity | undefined],
): StoreIdentity | undefined {
  const [first, second] = slots;
  if (first === undefined || second === undefined) return first ?? second;
  const later = second.generation - first.generation || second.revision - first.revision;
  return later > 0 ? second : first;
}

function encodeSlot(identity: StoreIdentity): Buffer {
  const slot = Buffer.alloc(SLOT_BYTES, " ");
  slot.write(encodeIdentity(identity));
  slot.write("\n", SLOT_BYTES - 1);
  return slot;
}

function decodeSlot(bytes: Buffer): StoreIdentity | undefined {
  try {
    return decodeIdentity(bytes.toString().trimEnd());
  } catch {
    return undefined;
  }
}

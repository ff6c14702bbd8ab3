import { createHash } from "node:crypto";
import { MAX_RANK, NIL_RANK, type Rank } from "@daos/rank";
import { parseDocument, stringify } from "yaml";
import type { Superblock } from "./superblock.ts";

/**
 * First line of a file that ends with a checksum. A file that was truncated before its checksum still has this line, so it
 * is not taken for a file of release 0.8.0, which has no checksum.
 */
const HEADER = "# Superblock of a DAOS engine: its last line is a checksum. Do not edit.\n";

/** The result of decoding. */
export type DecodedSuperblock =
  | { readonly kind: "superblock"; readonly superblock: Superblock }
  /** A version that this release does not know. */
  | { readonly kind: "newer"; readonly version: number }
  /** Empty, torn, damaged, or something else. */
  | { readonly kind: "malformed"; readonly reason: string };

/**
 * Encodes the file: YAML with the keys and the order of release 0.8.0, which ignores the comment and the checksum.
 *
 * `checksum: sha256:<hex>` covers all bytes before its line.
 */
export function encodeSuperblock(superblock: Superblock): string {
  const { version, uuid, system, rank, validRank, ms, createMs, bootstrapMs } = superblock;
  const fields = {
    version,
    uuid,
    system,
    rank: rank ?? null,
    validrank: validRank,
    ms,
    createms: createMs,
    bootstrapms: bootstrapMs,
  };
  const body = HEADER + stringify(fields, { version: "1.1", lineWidth: 0 });
  return `${body}checksum: ${checksum(body)}\n`;
}

/** Decodes the file's bytes, with or without a checksum. Keys of other releases are ignored. */
export function decodeSuperblock(bytes: Uint8Array): DecodedSuperblock {
  const malformed = (reason: string): DecodedSuperblock => ({ kind: "malformed", reason });
  if (bytes.length === 0) return malformed("it is empty");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return malformed("it is not text");
  }
  if (text.includes("\0")) return malformed("it has zero bytes, as after a torn write");

  const tail = /^checksum: (sha256:[0-9a-f]{64})\n$/m.exec(text);
  const signed = text.startsWith("#") || /^checksum:/m.test(text);
  if (signed) {
    if (tail === null || tail.index + tail[0].length !== text.length) {
      return malformed("its end is missing, as after a torn write");
    }
    if (checksum(text.slice(0, tail.index)) !== tail[1]) return malformed("its checksum does not match");
  }

  const document = parseDocument(text, { logLevel: "silent", prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) return malformed(`it is not YAML: ${error.message}`);
  const fields: unknown = document.toJS({ maxAliasCount: 0 });
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    return malformed("it has no keys and values");
  }
  return readFields(fields as Record<string, unknown>);
}

function readFields(fields: Record<string, unknown>): DecodedSuperblock {
  const { version, uuid, system, rank, validrank, ms, createms, bootstrapms } = fields;
  const malformed = (key: string, allowed: string): DecodedSuperblock => ({
    kind: "malformed",
    reason: `${key} is ${fields[key] === undefined ? "missing" : JSON.stringify(fields[key])}, not ${allowed}`,
  });
  if (typeof version !== "number" || !Number.isInteger(version) || version < 0) {
    return malformed("version", "a whole number");
  }
  if (version > 0) return { kind: "newer", version };
  if (typeof uuid !== "string" || !UUID.test(uuid)) return malformed("uuid", "a uuid");
  if (!isName(system)) return malformed("system", "a name");
  if (!isRank(rank)) return malformed("rank", `a whole number from 0 to ${MAX_RANK}, or null`);
  if (typeof validrank !== "boolean") return malformed("validrank", "true or false");
  if (typeof ms !== "boolean") return malformed("ms", "true or false");
  if (typeof createms !== "boolean") return malformed("createms", "true or false");
  if (typeof bootstrapms !== "boolean") return malformed("bootstrapms", "true or false");
  return {
    kind: "superblock",
    superblock: {
      version: 0,
      uuid,
      system: String(system),
      rank: rank === null || rank === NIL_RANK ? undefined : (rank as Rank | undefined),
      validRank: validrank,
      ms,
      createMs: createms,
      bootstrapMs: bootstrapms,
    },
  };
}

const UUID = /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/;

function isName(value: unknown): value is string | number {
  return (typeof value === "string" && value !== "") || typeof value === "number";
}

function isRank(value: unknown): value is number | null | undefined {
  if (value === undefined || value === null) return true;
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= NIL_RANK;
}

function checksum(text: string): string {
  return `sha256:${createHash("sha256").update(text, "utf8").digest("hex")}`;
}

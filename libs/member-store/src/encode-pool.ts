import { errorText } from "@daos/fault";
import { isPoolUuid, MAX_POOL_LABEL } from "@daos/pool-id";
import { MAX_MEMBERS } from "@daos/security";
import { verifyChecksum } from "./document-checksum.ts";
import type { UnreadableMember } from "./member-store.ts";
import type { PoolRecord, PoolState } from "./pool-record.ts";

const STATES: ReadonlySet<string> = new Set<PoolState>(["creating", "ready", "destroying"]);
/** Maximum length of a principal, and of the text that names a pool's creator, in characters. */
const MAX_NAME = 512;
const MAX_RANK = 0xffff_fffe;

/** Encodes a pool for a store: JSON, with `version` for changes in a later release. Sizes are decimal texts. */
export function encodePool(pool: PoolRecord): string {
  const { scmBytes, nvmeBytes } = pool;
  const document = { version: 1, ...pool, scmBytes: `${scmBytes}`, nvmeBytes: `${nvmeBytes}` };
  readPool(document);
  return JSON.stringify(document);
}

/** Decodes what {@link encodePool} wrote. @throws Error with the reason */
export function decodePool(document: string): PoolRecord {
  const value: unknown = JSON.parse(document);
  if (typeof value !== "object" || value === null) throw new Error("it is not a JSON object");
  return readPool(value);
}

/** The stored document of a pool's uuid: the pool, or why it cannot be read. */
export function readKeptPool(uuid: string, document: string): PoolRecord | UnreadableMember {
  try {
    if (!verifyChecksum(document)) throw new Error("it has no checksum");
    const pool = decodePool(document);
    if (pool.uuid !== uuid) throw new Error(`its uuid is ${pool.uuid}, and it is kept under ${uuid}`);
    return pool;
  } catch (error) {
    return { kind: "pool", uuid, document, reason: errorText(error) };
  }
}

export function isUnreadablePool(kept: PoolRecord | UnreadableMember): kept is UnreadableMember {
  return "document" in kept;
}

function readPool(value: object): PoolRecord {
  const field = <T>(name: string, claim: (found: unknown) => found is T): T => {
    const found = (value as Readonly<Record<string, unknown>>)[name];
    if (claim(found)) return found;
    const shown = typeof found === "string" ? JSON.stringify(found.slice(0, 64)) : String(found);
    throw new Error(`the ${name} of a pool cannot be ${shown}`);
  };
  field("version", (found): found is 1 => found === 1);
  return {
    uuid: field("uuid", isUuid),
    label: field("label", isText(MAX_POOL_LABEL)),
    state: field("state", isState),
    user: field("user", isText(MAX_NAME)),
    group: field("group", isText(MAX_NAME)),
    scmBytes: BigInt(field("scmBytes", isSize)),
    nvmeBytes: BigInt(field("nvmeBytes", isSize)),
    ranks: field("ranks", isRanks),
    svcReplicas: field("svcReplicas", isRanks),
    createdAt: field("createdAt", isCount),
    createdBy: field("createdBy", isText(MAX_NAME)),
  };
}

function isUuid(found: unknown): found is string {
  return typeof found === "string" && isPoolUuid(found) && found === found.toLowerCase();
}

function isText(max: number) {
  return (found: unknown): found is string =>
    typeof found === "string" && found.length <= max && found.isWellFormed();
}

function isState(found: unknown): found is PoolState {
  return typeof found === "string" && STATES.has(found);
}

function isSize(found: unknown): found is string {
  return typeof found === "string" && /^\d{1,20}$/.test(found) && BigInt(found) < 2n ** 64n;
}

function isCount(found: unknown): found is number {
  return Number.isSafeInteger(found) && (found as number) >= 0;
}

function isRanks(found: unknown): found is readonly number[] {
  return (
    Array.isArray(found) &&
    found.length <= MAX_MEMBERS &&
    found.every((rank) => isCount(rank) && rank <= MAX_RANK)
  );
}

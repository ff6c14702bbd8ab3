import type { DatabaseSync } from "node:sqlite";
import { countOf } from "@daos/fault";
import { addChecksum, hash, verifyChecksum } from "./document-checksum.ts";
import { readKeptEvent } from "./encode-event.ts";
import { isUnreadable, readKept } from "./encode-member.ts";
import { isUnreadablePool, readKeptPool } from "./encode-pool.ts";
import type { EventRecord } from "./event-record.ts";
import { faultMembersFileDamaged } from "./faults.ts";

/** A row of the table `members`, as it is stored. */
export interface Row {
  readonly uuid: string;
  readonly rank: number;
  readonly document: string;
}

/** A row that is written (`document`), or removed. */
export interface RowChange {
  readonly uuid: string;
  readonly document: string | undefined;
}

/**
 * The number of the rows of a store and their combined hash, as the store records them. SQLite does not notice a row that
 * is missing from a damaged page; this does.
 */
export class StoredContent {
  readonly #hashes = new Map<string, bigint>();
  #digest = 0n;

  static of(rows: readonly RowChange[]): StoredContent {
    const content = new StoredContent();
    content.plan(rows).apply();
    return content;
  }

  /** The record of the content after some changes, and what makes this the content. */
  plan(changes: readonly RowChange[]): { readonly record: string; readonly apply: () => void } {
    const next = new Map(changes.map(({ uuid, document }) => [uuid, document]));
    let digest = this.#digest;
    let count = this.#hashes.size;
    const hashes = [...next].map(([uuid, document]) => {
      const before = this.#hashes.get(uuid);
      const after = document === undefined ? undefined : BigInt(`0x${hash(`${uuid}\n${document}`)}`);
      digest ^= (before ?? 0n) ^ (after ?? 0n);
      count += (after === undefined ? 0 : 1) - (before === undefined ? 0 : 1);
      return [uuid, after] as const;
    });
    return {
      record: encodeContent(count, digest),
      apply: () => {
        this.#digest = digest;
        for (const [uuid, after] of hashes) {
          if (after === undefined) this.#hashes.delete(uuid);
          else this.#hashes.set(uuid, after);
        }
      },
    };
  }

  get count(): number {
    return this.#hashes.size;
  }

  get digest(): bigint {
    return this.#digest;
  }
}

/** The rows of the table `members`, with their number and combined hash. */
export interface ReadContent {
  readonly rows: readonly Row[];
  readonly content: StoredContent;
}

/**
 * Reads the rows and compares them with the record of the store. An unreadable row is reported later, when the members
 * are read. Rows of an earlier release are not compared: that release keeps no record.
 *
 * @throws Fault memberStoreUnusable when rows are missing, or are not those that were last written
 */
export function readContent(database: DatabaseSync, path: string): ReadContent {
  const rows = !hasTable(database, "members")
    ? []
    : database
        .prepare("SELECT uuid, rank, document FROM members ORDER BY rank")
        .all()
        .map(({ uuid, rank, document }) => ({
          uuid: String(uuid),
          rank: Number(rank),
          document: String(document),
        }));
  const content = StoredContent.of(rows);
  const record = readRecord(database, path);
  if (record === undefined) return { rows, content };
  if (rows.some(isOld)) return { rows, content };
  if (content.count !== record.count)
    throw faultMembersFileDamaged(
      path,
      `it has ${countOf(content.count, "member")}, recorded are ${record.count}`,
    );
  const allReadable = rows.every(({ uuid, document }) => !isUnreadable(readKept(uuid, document)));
  if (allReadable && content.digest !== record.digest)
    throw faultMembersFileDamaged(path, "its members are not those that were last recorded");
  return { rows, content };
}

/** The rows of the table `pools`, with their number and combined hash. */
export interface ReadPools {
  readonly rows: readonly Pick<Row, "uuid" | "document">[];
  readonly content: StoredContent;
}

/** As {@link readContent}, of the table `pools`. @throws Fault memberStoreUnusable */
export function readPools(database: DatabaseSync, path: string): ReadPools {
  const rows = !hasTable(database, "pools")
    ? []
    : database
        .prepare("SELECT uuid, document FROM pools ORDER BY uuid")
        .all()
        .map(({ uuid, document }) => ({ uuid: String(uuid), document: String(document) }));
  const content = StoredContent.of(rows);
  const record = readRecord(database, path, "pools_content");
  if (record === undefined) return { rows, content };
  if (content.count !== record.count)
    throw faultMembersFileDamaged(
      path,
      `it has ${countOf(content.count, "pool")}, recorded are ${record.count}`,
    );
  const allReadable = rows.every(({ uuid, document }) => !isUnreadablePool(readKeptPool(uuid, document)));
  if (allReadable && content.digest !== record.digest)
    throw faultMembersFileDamaged(path, "its pools are not those that were last recorded");
  return { rows, content };
}

/** A sound document of an earlier release. */
export function isOld({ uuid, document }: Row): boolean {
  return !isUnreadable(readKept(uuid, document)) && !verifyChecksum(document);
}

/** @throws Fault memberStoreUnusable when SQLite finds the file damaged; the failure of SQLite */
export function checkIntegrity(database: DatabaseSync, path: string): void {
  const [found] = database.prepare("PRAGMA integrity_check(1)").all();
  if (found?.integrity_check !== "ok") throw faultMembersFileDamaged(path, String(found?.integrity_check));
}

export function hasTable(database: DatabaseSync, name: string): boolean {
  return (
    database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(name) !== undefined
  );
}

function readRecord(
  database: DatabaseSync,
  path: string,
  table: "store" | "pools_content" = "store",
): { readonly count: number; readonly digest: bigint } | undefined {
  if (!hasTable(database, table)) return undefined;
  const row = database.prepare(`SELECT content FROM ${table}`).get();
  if (row === undefined) return undefined;
  try {
    const document = String(row.content);
    if (!verifyChecksum(document)) throw new Error("it has no checksum");
    const { count, digest } = JSON.parse(document) as Readonly<Record<string, unknown>>;
    return { count: Number(count), digest: BigInt(`0x${String(digest)}`) };
  } catch (error) {
    throw faultMembersFileDamaged(path, `the record of its content: ${(error as Error).message}`, error);
  }
}

function encodeContent(count: number, digest: bigint): string {
  return addChecksum(JSON.stringify({ version: 1, count, digest: digest.toString(16).padStart(32, "0") }));
}

/** The events, oldest first; none in a file of an earlier release. What cannot be read is left out. */
export function readEvents(database: DatabaseSync): readonly EventRecord[] {
  if (!hasTable(database, "events")) return [];
  return database
    .prepare("SELECT document FROM events ORDER BY number")
    .all()
    .map(({ document }) => readKeptEvent(String(document)))
    .filter((event) => event !== undefined);
}

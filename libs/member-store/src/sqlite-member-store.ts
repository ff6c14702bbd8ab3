import { randomUUID } from "node:crypto";
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { Fault } from "@daos/fault";
import { addChecksum } from "./document-checksum.ts";
import { encodeEvent } from "./encode-event.ts";
import { encodeMember, isUnreadable, readKept } from "./encode-member.ts";
import { encodePool, isUnreadablePool, readKeptPool } from "./encode-pool.ts";
import type { EventChange, EventRecord } from "./event-record.ts";
import {
  faultMemberStore,
  faultMemberStoreReplaced,
  faultMembersFileDamaged,
  faultMembersFileFull,
  faultMembersInUse,
  faultMembersUnreadable,
} from "./faults.ts";
import type { MarkerFile } from "./marker-file.ts";
import type { Member } from "./member.ts";
import {
  type LoadOptions,
  lastOfEach,
  type MemberChange,
  type MemberStore,
  type UnreadableMember,
} from "./member-store.ts";
import { type PoolChange, type PoolRecord, poolUuidOf } from "./pool-record.ts";
import { RankIndex } from "./rank-index.ts";
import { freeBytes, type SpaceReserve } from "./space-reserve.ts";
import { checkStoreIdentity, decodeIdentity, encodeIdentity, type StoreIdentity } from "./store-identity.ts";
import {
  checkIntegrity,
  hasTable,
  isOld,
  type Row,
  type RowChange,
  readContent,
  readEvents,
  readPools,
  type StoredContent,
} from "./stored-content.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS members (
    uuid TEXT PRIMARY KEY,
    rank INTEGER NOT NULL,
    document TEXT NOT NULL
  ) STRICT;
  DROP INDEX IF EXISTS members_by_rank;
  CREATE TABLE IF NOT EXISTS store (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    identity TEXT NOT NULL,
    content TEXT NOT NULL
  ) STRICT`;

/** The documents of the first release of this store, before members had states. */
const MIGRATE = `
  INSERT OR IGNORE INTO members (uuid, rank, document)
    SELECT uuid, rank, json_object('version', 1, 'uuid', uuid, 'rank', rank,
      'address', CASE WHEN instr(host, ':') THEN '[' || host || ']' ELSE host END || ':' || port, 'uri', uri, 'contexts', contexts,
      'state', 'joined', 'reason', '', 'since', 0, 'incarnation', 1, 'faultDomain', '',
      'reports', json('false')) FROM member;
  DROP TABLE member`;

/** The entries that {@link SqliteMemberStore.quarantine} moved aside. */
const QUARANTINE = `
  CREATE TABLE IF NOT EXISTS quarantine (
    uuid TEXT NOT NULL,
    document TEXT NOT NULL,
    reason TEXT NOT NULL,
    moved_at TEXT NOT NULL
  ) STRICT`;

const PUT = `
  INSERT INTO members (uuid, rank, document) VALUES (?, ?, ?)
    ON CONFLICT (uuid) DO UPDATE SET rank = excluded.rank, document = excluded.document`;
const REMOVE = "DELETE FROM members WHERE uuid = ?";
const PUT_STORE = `
  INSERT INTO store (id, identity, content) VALUES (1, ?, ?)
    ON CONFLICT (id) DO UPDATE SET identity = excluded.identity, content = excluded.content`;

const POOLS_SCHEMA = `
  CREATE TABLE IF NOT EXISTS pools (uuid TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS pools_content (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    content TEXT NOT NULL
  ) STRICT`;
const PUT_POOL = `
  INSERT INTO pools (uuid, document) VALUES (?, ?)
    ON CONFLICT (uuid) DO UPDATE SET document = excluded.document`;
const PUT_POOLS_CONTENT = `
  INSERT INTO pools_content (id, content) VALUES (1, ?)
    ON CONFLICT (id) DO UPDATE SET content = excluded.content`;
const EVENTS_SCHEMA =
  "CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY, document TEXT NOT NULL) STRICT";
const PUT_EVENT = `
  INSERT INTO events (number, document) VALUES (?, ?)
    ON CONFLICT (number) DO UPDATE SET document = excluded.document`;
const QUARANTINED = "INSERT INTO quarantine (uuid, document, reason, moved_at) VALUES (?, ?, ?, ?)";

/** How the reason of a pool begins in the table `quarantine`. */
export const POOL_REASON = "pool: ";

export interface SqliteMemberStoreOptions {
  /**
   * Locks the file: no other process has it open or can open it until the store is closed. All committed data is in the
   * one file.
   */
  readonly exclusive?: boolean | undefined;
  /** What this host has seen of the store. Without it, a file that is missing or older than before is not detected. */
  readonly marker?: MarkerFile | undefined;
  /** Given up when the file system is full. */
  readonly reserve?: SpaceReserve | undefined;
  /** Use a store that {@link checkStoreIdentity} refuses. It gets the generation after that of the marker. */
  readonly accept?: boolean | undefined;
}

const SQLITE_BUSY = 5;
const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;
/** SQLite's shared-memory index takes 32 KiB; without them it reports an I/O error. */
const MIN_FREE_BYTES = 64 * 1024;
/** Free space that events leave to the members, whose commits may just have used up the reserve, bytes. */
const MIN_FREE_FOR_EVENTS = 1024 * 1024;

/**
 * Stores members in an SQLite file beside the superblock of the access point's engine: for systems with one access
 * point.
 *
 * Each document has a checksum. The table `store` has the identity of the store and a record of its content, so that a
 * missing row is detected too. All are compared when the file is opened.
 */
export class SqliteMemberStore implements MemberStore {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #path: string;
  readonly #options: SqliteMemberStoreOptions;
  readonly #begin: string;
  readonly #ranks = new RankIndex();
  readonly #content: StoredContent;
  readonly #pools: StoredContent;
  #identity: StoreIdentity;
  /** Device and inode of the file that is open. */
  readonly #file: string | undefined;

  /**
   * @throws Fault memberStoreUnusable when the file is damaged or cannot be read, membersInUse, memberStoreReplaced
   * when it differs from the marker
   */
  constructor(path: string, options: SqliteMemberStoreOptions = {}) {
    this.#path = path;
    this.#options = options;
    this.#begin = options.exclusive === true ? "BEGIN EXCLUSIVE" : "BEGIN IMMEDIATE";
    if (sizeOf(path) === 0) this.#checkIdentity(undefined);
    this.#database = this.#open();
    this.#file = identityOf(path);
    try {
      checkIntegrity(this.#database, path);
      this.#migrate();
      const stored = this.#readIdentity();
      const { rows, content } = readContent(this.#database, path);
      this.#content = content;
      this.#pools = readPools(this.#database, path).content;
      for (const row of rows) {
        const kept = readKept(row.uuid, row.document);
        // An unreadable member keeps its rank.
        this.#ranks.take(row.uuid, isUnreadable(kept) ? row.rank : kept.rank);
      }
      this.#identity = this.#checkIdentity(stored);
      const old = rows.filter(isOld);
      if (stored?.generation !== this.#identity.generation || old.length > 0) this.#upgrade(old);
      this.#remember();
      options.reserve?.make();
    } catch (error) {
      if (this.#database.isOpen) this.#database.close();
      throw this.#faultOpening(error);
    }
  }

  get identity(): StoreIdentity {
    return this.#identity;
  }

  async load({ onUnreadable }: Pick<LoadOptions, "onUnreadable"> = {}): Promise<readonly Member[]> {
    const members: Member[] = [];
    const unreadable: UnreadableMember[] = [];
    this.#guarded(() => {
      for (const { uuid, document } of this.#database
        .prepare("SELECT uuid, document FROM members")
        .iterate()) {
        const kept = readKept(String(uuid), String(document));
        if (isUnreadable(kept)) unreadable.push(kept);
        else members.push(kept);
      }
    });
    if (onUnreadable !== undefined) unreadable.forEach(onUnreadable);
    else if (unreadable.length > 0) throw faultMembersUnreadable(this.#path, unreadable);
    // The column of the rank has no checksum.
    return members.toSorted((a, b) => a.rank - b.rank);
  }

  /** Moves unreadable members to the table `quarantine` of the same file. @throws Fault memberStoreUnusable */
  async quarantine(unreadable: readonly UnreadableMember[]): Promise<void> {
    this.#guarded(() => {
      const removed = unreadable.map(({ uuid }) => ({ uuid, rank: 0, document: undefined }));
      this.#write(removed, () => {
        this.#database.exec(QUARANTINE);
        const move = this.#database.prepare(QUARANTINED);
        for (const { uuid, document, reason } of unreadable)
          move.run(uuid, document, reason, new Date().toISOString());
      });
    });
  }

  async commit(
    changes: readonly MemberChange[],
    { signal }: { readonly signal: AbortSignal },
  ): Promise<void> {
    signal.throwIfAborted();
    this.#guarded(() => {
      const last = lastOfEach(changes);
      this.#ranks.check(last);
      this.#write(last.map(toRow));
      this.#ranks.note(last);
    });
  }

  async loadPools({ onUnreadable }: Pick<LoadOptions, "onUnreadable"> = {}): Promise<readonly PoolRecord[]> {
    return this.#guarded(() => {
      const pools: PoolRecord[] = [];
      for (const { uuid, document } of readPools(this.#database, this.#path).rows) {
        const kept = readKeptPool(uuid, document);
        if (isUnreadablePool(kept)) onUnreadable?.(kept);
        else pools.push(kept);
      }
      return pools;
    });
  }

  async commitPools(
    changes: readonly PoolChange[],
    { signal }: { readonly signal: AbortSignal },
  ): Promise<void> {
    signal.throwIfAborted();
    const last = [...new Map(changes.map((change) => [poolUuidOf(change), change])).values()];
    this.#guarded(() => this.#writePools(last.map(toPoolRow)));
  }

  /** Moves unreadable pools to the table `quarantine` of the same file. @throws Fault memberStoreUnusable */
  async quarantinePools(unreadable: readonly UnreadableMember[]): Promise<void> {
    this.#guarded(() => {
      const removed = unreadable.map(({ uuid }) => ({ uuid, document: undefined }));
      this.#writePools(removed, () => {
        this.#database.exec(QUARANTINE);
        const move = this.#database.prepare(QUARANTINED);
        for (const { uuid, document, reason } of unreadable)
          move.run(uuid, document, `${POOL_REASON}${reason}`, new Date().toISOString());
      });
    });
  }

  async loadEvents(): Promise<readonly EventRecord[]> {
    return this.#guarded(() => readEvents(this.#database));
  }

  /** The record of the content does not cover events: a missing event is no reason to refuse the members. */
  async commitEvents(
    { events, from }: EventChange,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<void> {
    signal.throwIfAborted();
    this.#guarded(() => {
      if (freeBytes(dirname(this.#path)) < MIN_FREE_FOR_EVENTS)
        throw faultMembersFileFull(this.#path, new Error("the rest is left for the members"));
      // Without a flush to the device, which the next commit of members makes for both.
      this.#database.exec("PRAGMA synchronous = NORMAL");
      try {
        this.#transaction(() => {
          this.#database.exec(EVENTS_SCHEMA);
          const put = this.#database.prepare(PUT_EVENT);
          for (const event of events) put.run(event.number, encodeEvent(event));
          this.#database.prepare("DELETE FROM events WHERE number < ?").run(from);
        });
      } finally {
        this.#database.exec("PRAGMA synchronous = FULL");
      }
    });
  }

  async close(): Promise<void> {
    this.#guarded(() => {
      if (this.#database.isOpen) this.#database.close();
    });
  }

  #open(): DatabaseSync {
    try {
      return this.#openOnce();
    } catch (error) {
      if (!this.#isFull(error)) throw this.#faultOpening(error);
    }
    try {
      if (this.#options.reserve?.giveUp() === true) return this.#openOnce();
    } catch (error) {
      if (!this.#isFull(error)) throw this.#faultOpening(error);
    }
    try {
      // SQLite then needs no shared-memory file, so the members can be read even when nothing can be written.
      return this.#openOnce("PRAGMA locking_mode = EXCLUSIVE");
    } catch (error) {
      throw this.#faultOpening(error);
    }
  }

  #openOnce(locking = ""): DatabaseSync {
    const { exclusive = false } = this.#options;
    const database = new DatabaseSync(this.#path);
    try {
      const journal = exclusive
        ? "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE"
        : `${locking}; PRAGMA journal_mode = WAL`;
      database.exec(`${journal}; PRAGMA synchronous = FULL`);
      // From here on the file is locked, and the files beside it exist.
      database.exec(`${this.#begin}; COMMIT`);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Takes over the members of the first release of this store. */
  #migrate(): void {
    if (!hasTable(this.#database, "member")) return;
    this.#transaction(() => {
      this.#database.exec(SCHEMA);
      this.#database.exec(MIGRATE);
    });
  }

  #readIdentity(): StoreIdentity | undefined {
    if (!hasTable(this.#database, "store")) return undefined;
    const row = this.#database.prepare("SELECT identity FROM store").get();
    if (row === undefined) return undefined;
    try {
      return decodeIdentity(String(row.identity));
    } catch (error) {
      throw faultMembersFileDamaged(this.#path, `its identity: ${(error as Error).message}`, error);
    }
  }

  /** @returns the identity of the store from now on @throws Fault memberStoreReplaced */
  #checkIdentity(stored: StoreIdentity | undefined): StoreIdentity {
    const { marker: file, accept = false } = this.#options;
    const marker = file?.read() ?? { kind: "absent" };
    const seen = marker.kind === "seen" ? marker.identity : undefined;
    const refusal =
      marker.kind === "damaged" && stored === undefined
        ? `it is empty or missing; ${file?.path} says that it was not, and cannot be read`
        : checkStoreIdentity(seen, stored);
    if (refusal !== undefined && !accept) throw faultMemberStoreReplaced(this.#path, refusal);
    if (refusal === undefined) return stored ?? { id: randomUUID(), generation: 1, revision: 0 };
    return {
      id: seen?.id ?? stored?.id ?? randomUUID(),
      generation: Math.max(seen?.generation ?? 0, stored?.generation ?? 0) + 1,
      revision: stored?.revision ?? 0,
    };
  }

  /**
   * Adds what an earlier release did not write: tables, identity, checksums. If the file system is full, this is done
   * later.
   */
  #upgrade(old: readonly Row[]): void {
    const isNew = !hasTable(this.#database, "members");
    try {
      this.#write(
        old.map(({ uuid, rank, document }) => ({ uuid, rank, document: addChecksum(document) })),
        () => this.#database.exec(SCHEMA),
      );
    } catch (error) {
      if (isNew || !this.#isFull(error)) throw error;
    }
  }

  /**
   * Writes rows and the record of the content, all or none. When the file system is full, the reserve is given up.
   */
  #write(rows: readonly (RowChange & { readonly rank: number })[], more: () => void = () => {}): void {
    const identity = { ...this.#identity, revision: this.#identity.revision + 1 };
    const { record, apply } = this.#content.plan(rows);
    const work = () =>
      this.#transaction(() => {
        more();
        for (const { uuid, rank, document } of rows) {
          if (document === undefined) this.#statement(REMOVE).run(uuid);
          else this.#statement(PUT).run(uuid, rank, document);
        }
        this.#statement(PUT_STORE).run(encodeIdentity(identity), record);
      });
    const { reserve } = this.#options;
    try {
      work();
    } catch (error) {
      if (!this.#isFull(error) || reserve?.giveUp() !== true) throw error;
      work();
    }
    apply();
    this.#identity = identity;
    this.#remember();
    if (this.#isInPlace()) reserve?.restore();
  }

  /** Writes rows of pools and the record of their content, all or none; as a change of the store it has a revision. */
  #writePools(rows: readonly RowChange[], more: () => void = () => {}): void {
    const { record, apply } = this.#pools.plan(rows);
    this.#write([], () => {
      this.#database.exec(POOLS_SCHEMA);
      more();
      const put = this.#database.prepare(PUT_POOL);
      const remove = this.#database.prepare("DELETE FROM pools WHERE uuid = ?");
      for (const { uuid, document } of rows) {
        if (document === undefined) remove.run(uuid);
        else put.run(uuid, document);
      }
      this.#database.prepare(PUT_POOLS_CONTENT).run(record);
    });
    apply();
  }

  /** False once the mount is lost: marker and reserve would be written to the directory below it. */
  #isInPlace(): boolean {
    return identityOf(this.#path) === this.#file;
  }

  /** Writes the revision to the marker. The commit is durable already: a marker that lags behind only detects less. */
  #remember(): void {
    try {
      if (this.#isInPlace()) this.#options.marker?.write(this.#identity);
    } catch {
      // As on a full file system before the file exists. The next commit tries again.
    }
  }

  /** A statement of every commit; SQLite compiles it once. */
  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const made = this.#database.prepare(sql);
    this.#statements.set(sql, made);
    return made;
  }

  #transaction(work: () => void): void {
    this.#statement(this.#begin).run();
    try {
      work();
      this.#statement("COMMIT").run();
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.#fault(error);
    }
  }

  #faultOpening(error: unknown): Fault {
    return codeOf(error) === SQLITE_BUSY ? faultMembersInUse(this.#path, error) : this.#fault(error);
  }

  #fault(error: unknown): Fault {
    if (error instanceof Fault) return error;
    return this.#isFull(error)
      ? faultMembersFileFull(this.#path, error)
      : faultMemberStore(this.#path, error);
  }

  #isFull(error: unknown): boolean {
    const code = codeOf(error);
    if (code === SQLITE_IOERR) return freeBytes(dirname(this.#path)) < MIN_FREE_BYTES;
    return code === SQLITE_FULL;
  }
}

function toRow(change: MemberChange): RowChange & { readonly rank: number } {
  if (change.kind === "remove") return { uuid: change.uuid, rank: 0, document: undefined };
  const { member } = change;
  return { uuid: member.uuid, rank: member.rank, document: addChecksum(encodeMember(member)) };
}

function toPoolRow(change: PoolChange): RowChange {
  const document = change.kind === "put" ? addChecksum(encodePool(change.pool)) : undefined;
  return { uuid: poolUuidOf(change), document };
}

function identityOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}

/** Size of a file, bytes; 0 when there is none. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** The basic code of an error of SQLite: the low byte of the extended one. */
function codeOf(error: unknown): number | undefined {
  return error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : undefined;
}

import { DatabaseSync, type StatementSync } from "node:sqlite";
import { Fault } from "@daos/fault";
import { parseRank } from "@daos/rank";
import { encodeMember, isUnreadable, readKept } from "./encode-member.ts";
import { faultMemberStore, faultMembersInUse, faultMembersUnreadable, faultRankTaken } from "./faults.ts";
import type { Member } from "./member.ts";
import type { LoadOptions, MemberChange, MemberStore, UnreadableMember } from "./member-store.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS members (
    uuid TEXT PRIMARY KEY,
    rank INTEGER NOT NULL,
    document TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS members_by_rank ON members (rank)`;

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

export interface SqliteMemberStoreOptions {
  /**
   * Locks the file: no other process has it open or can open it until the store is closed. All committed data is in the
   * one file.
   */
  readonly exclusive?: boolean | undefined;
}

const SQLITE_BUSY = 5;

/**
 * Stores members in an SQLite file beside the superblock of the access point's engine: for systems with one access
 * point.
 */
export class SqliteMemberStore implements MemberStore {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #begin: string;
  readonly #put: StatementSync;

  /** @throws Fault memberStoreUnusable when the file is damaged or cannot be written, membersInUse */
  constructor(path: string, { exclusive = false }: SqliteMemberStoreOptions = {}) {
    this.#path = path;
    this.#begin = exclusive ? "BEGIN EXCLUSIVE" : "BEGIN IMMEDIATE";
    const journal = exclusive
      ? "locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE"
      : "journal_mode = WAL";
    this.#database = new DatabaseSync(path, { open: false });
    try {
      this.#database.open();
      this.#database.exec(`PRAGMA ${journal}; PRAGMA synchronous = FULL`);
      this.#transaction(() => {
        this.#database.exec(SCHEMA);
        const old = this.#database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'member'").get();
        if (old !== undefined) this.#database.exec(MIGRATE);
      });
      this.#put = this.#database.prepare(PUT);
    } catch (error) {
      if (this.#database.isOpen) this.#database.close();
      throw isBusy(error) ? faultMembersInUse(path, error) : faultMemberStore(path, error);
    }
  }

  async load({ onUnreadable }: Pick<LoadOptions, "onUnreadable"> = {}): Promise<readonly Member[]> {
    const members: Member[] = [];
    const unreadable: UnreadableMember[] = [];
    this.#guarded(() => {
      for (const { uuid, document } of this.#database
        .prepare("SELECT uuid, document FROM members ORDER BY rank")
        .iterate()) {
        const kept = readKept(String(uuid), String(document));
        if (isUnreadable(kept)) unreadable.push(kept);
        else members.push(kept);
      }
    });
    if (onUnreadable !== undefined) unreadable.forEach(onUnreadable);
    else if (unreadable.length > 0) throw faultMembersUnreadable(this.#path, unreadable);
    return members;
  }

  /** Moves unreadable members to the table `quarantine` of the same file. @throws Fault memberStoreUnusable */
  async quarantine(unreadable: readonly UnreadableMember[]): Promise<void> {
    this.#guarded(() =>
      this.#transaction(() => {
        this.#database.exec(QUARANTINE);
        for (const { uuid, document, reason } of unreadable) {
          this.#database
            .prepare("INSERT INTO quarantine (uuid, document, reason, moved_at) VALUES (?, ?, ?, ?)")
            .run(uuid, document, reason, new Date().toISOString());
          this.#database.prepare("DELETE FROM members WHERE uuid = ? AND document = ?").run(uuid, document);
        }
      }),
    );
  }

  async commit(
    changes: readonly MemberChange[],
    { signal }: { readonly signal: AbortSignal },
  ): Promise<void> {
    signal.throwIfAborted();
    this.#guarded(() =>
      this.#transaction(() => {
        for (const change of changes) this.#apply(change);
        this.#checkRanks();
      }),
    );
  }

  #apply(change: MemberChange): void {
    switch (change.kind) {
      case "put": {
        const { member } = change;
        this.#put.run(member.uuid, member.rank, encodeMember(member));
        break;
      }
      case "remove":
        this.#database.prepare("DELETE FROM members WHERE uuid = ?").run(change.uuid);
        break;
      default:
        change satisfies never;
    }
  }

  #checkRanks(): void {
    const twice = this.#database
      .prepare(
        "SELECT rank, max(uuid) AS uuid, min(uuid) AS other FROM members GROUP BY rank HAVING count(*) > 1",
      )
      .get();
    if (twice === undefined) return;
    throw faultRankTaken(
      String(twice.uuid),
      parseRank(twice.rank),
      `that rank belongs to engine ${twice.other}`,
    );
  }

  async close(): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  #transaction(work: () => void): void {
    this.#database.exec(this.#begin);
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw error instanceof Fault ? error : faultMemberStore(this.#path, error);
    }
  }
}

function isBusy(error: unknown): boolean {
  // The low byte of an extended error code is the basic code.
  return error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === SQLITE_BUSY;
}

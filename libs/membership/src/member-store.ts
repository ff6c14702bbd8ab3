import { DatabaseSync } from "node:sqlite";
import { Fault, FaultCode } from "@daos/fault";
import { parseRank } from "@daos/rank";
import type { Member } from "./member.ts";

/** Where the members are kept. What `put` has acknowledged survives a crash of everything. */
export interface MemberStore {
  /** All members, by rank. */
  list(): readonly Member[];
  /** Adds a member, or replaces the one with its uuid. */
  put(member: Member): void;
  close(): void;
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS member (
    uuid TEXT PRIMARY KEY,
    rank INTEGER NOT NULL UNIQUE,
    host TEXT NOT NULL,
    port INTEGER NOT NULL,
    uri TEXT NOT NULL,
    contexts INTEGER NOT NULL
  ) STRICT`;

/** Members in an SQLite file beside the superblock of the access point's engine. */
export class SqliteMemberStore implements MemberStore {
  readonly #database: DatabaseSync;

  /** @throws Fault memberStoreUnusable when the file is damaged or cannot be written */
  constructor(path: string) {
    try {
      this.#database = new DatabaseSync(path);
      this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
      this.#database.exec(SCHEMA);
    } catch (error) {
      throw faultStore(path, error);
    }
  }

  list(): readonly Member[] {
    const rows = this.#database
      .prepare("SELECT uuid, rank, host, port, uri, contexts FROM member ORDER BY rank")
      .all();
    return rows.map((row) => ({
      uuid: String(row.uuid),
      rank: parseRank(row.rank),
      address: { host: String(row.host), port: Number(row.port) },
      uri: String(row.uri),
      contexts: Number(row.contexts),
    }));
  }

  put(member: Member): void {
    const { uuid, rank, address, uri, contexts } = member;
    this.#database
      .prepare(
        `INSERT INTO member (uuid, rank, host, port, uri, contexts) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (uuid) DO UPDATE SET
           rank = excluded.rank, host = excluded.host, port = excluded.port, uri = excluded.uri, contexts = excluded.contexts`,
      )
      .run(uuid, rank, address.host, address.port, uri, contexts);
  }

  close(): void {
    this.#database.close();
  }
}

function faultStore(path: string, cause: unknown): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberStoreUnusable,
    description: `the members of the system cannot be kept in ${path}`,
    reason: cause instanceof Error ? cause.message : String(cause),
    resolution:
      "check that the storage has space and is writable; if the file is damaged, move it away: engines are recorded " +
      "again when they are restarted",
    cause,
  });
}

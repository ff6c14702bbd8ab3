import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SqliteMemberStore } from "./sqlite-member-store.ts";
import { sampleMember } from "./testing/sample-member.ts";

let directory = "";
let path = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "daos-members-"));
  path = join(directory, "members.db");
});
afterEach(() => rmSync(directory, { recursive: true }));

const inUse = "another program has it open";
const wait = () => ({ signal: AbortSignal.timeout(40_000) });

/** Another process that has the file open as a server does. One row is still in the write-ahead log. */
async function otherProcess(): Promise<ChildProcess> {
  const main = join(directory, "other.mjs");
  writeFileSync(
    main,
    `import { DatabaseSync } from "node:sqlite";
    const database = new DatabaseSync(process.argv[2]);
    database.exec("PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS other (x); INSERT INTO other VALUES (1)");
    process.send("open");
    process.on("message", () => process.exit());`,
  );
  const child = fork(main, [path], { execArgv: [] });
  await once(child, "message");
  return child;
}

describe("SqliteMemberStore, events", () => {
  const event = { time: 1, kind: "engine_died", severity: "error", message: "one" } as const;

  it("loadEvents() leaves out damaged events, and the members are still read", async () => {
    const store = new SqliteMemberStore(path);
    await store.commit([{ kind: "put", member: sampleMember(1) }], wait());
    const events = [1, 2, 3, 4].map((number) => ({ ...event, number }));
    await store.commitEvents({ events, from: 1 }, wait());
    await store.close();
    const database = new DatabaseSync(path);
    database.exec(`
      UPDATE events SET document = replace(document, 'one', 'two') WHERE number = 1;
      UPDATE events SET document = 'nonsense' WHERE number = 2;
      DELETE FROM events WHERE number = 3`);
    database.close();
    const again = new SqliteMemberStore(path);
    expect(await again.load()).toEqual([sampleMember(1)]);
    expect(await again.loadEvents()).toEqual([{ ...event, number: 4 }]);
    await again.close();
  });

  it("commitEvents() leaves revision and marker of the store alone, and the next commit is flushed as before", async () => {
    const store = new SqliteMemberStore(path);
    await store.commit([{ kind: "put", member: sampleMember(1) }], wait());
    const { revision } = store.identity;
    await store.commitEvents({ events: [{ ...event, number: 1 }], from: 1 }, wait());
    expect(store.identity.revision).toBe(revision);
    await store.commit([{ kind: "put", member: sampleMember(2) }], wait());
    expect(store.identity.revision).toBe(revision + 1);
    await store.close();
  });
});

describe("SqliteMemberStore, exclusive", () => {
  it("SqliteMemberStore refuses to lock a file that a server has open, and keeps servers out while it has the lock", async () => {
    const server = new SqliteMemberStore(path);
    await server.commit([{ kind: "put", member: sampleMember(1) }], wait());
    expect(() => new SqliteMemberStore(path, { exclusive: true })).toThrow(inUse);
    await server.close();
    const alone = new SqliteMemberStore(path, { exclusive: true });
    expect(await alone.load()).toEqual([sampleMember(1)]);
    expect(() => new SqliteMemberStore(path)).toThrow(inUse);
    expect(() => new SqliteMemberStore(path, { exclusive: true })).toThrow(inUse);
    await alone.close();
    const next = new SqliteMemberStore(path);
    expect(await next.load()).toEqual([sampleMember(1)]);
    await next.close();
  });

  it("SqliteMemberStore refuses to lock a file that another process has open, and recovers the file of a dead process", async () => {
    const first = new SqliteMemberStore(path);
    await first.commit([{ kind: "put", member: sampleMember(1) }], wait());
    await first.close();
    const child = await otherProcess();
    expect(() => new SqliteMemberStore(path, { exclusive: true })).toThrow(inUse);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(existsSync(`${path}-wal`)).toBe(true);
    const alone = new SqliteMemberStore(path, { exclusive: true });
    expect(await alone.load()).toEqual([sampleMember(1)]);
    expect(existsSync(`${path}-wal`)).toBe(false);
    await alone.close();
  });
});

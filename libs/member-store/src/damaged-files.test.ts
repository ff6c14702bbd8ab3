import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { FaultCode } from "@daos/fault";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeMember } from "./encode-member.ts";
import type { Member } from "./member.ts";
import { membersFile, membersMarker, openMembers } from "./members-file.ts";
import { readMembersFile, repairMembersFile } from "./repair-members.ts";
import { flipBits } from "./testing/flip-bits.ts";
import { sampleMember } from "./testing/sample-member.ts";
import { samplePool } from "./testing/sample-pool.ts";

let mount = "";
let path = "";
beforeEach(() => {
  mount = mkdtempSync(join(tmpdir(), "daos-damaged-"));
  path = membersFile(mount);
});
afterEach(() => rmSync(mount, { recursive: true }));

const wait = () => ({ signal: AbortSignal.timeout(40_000) });
const put = (member: Member) => ({ kind: "put", member }) as const;
const replaced = (reason: string) => ({
  code: FaultCode.memberStoreReplaced,
  message: expect.stringContaining(path) as string,
  reason: expect.stringContaining(reason) as string,
});

async function newStore(count = 3) {
  const store = await openMembers(mount);
  await store.commit(
    Array.from({ length: count }, (_, number) => put(sampleMember(number))),
    wait(),
  );
  return store;
}

async function reload() {
  const store = await openMembers(mount);
  const members = await store.load();
  await store.close();
  return members;
}

describe("openMembers()", () => {
  it("openMembers() refuses when the file that this host has seen is missing or empty", async () => {
    await (await newStore()).close();
    rmSync(path);
    await expect(openMembers(mount)).rejects.toMatchObject(replaced("it is empty"));
    expect(existsSync(path)).toBe(false);
    writeFileSync(path, "");
    await expect(openMembers(mount)).rejects.toMatchObject(replaced("it is empty"));
    rmSync(join(mount, "control_plane"), { recursive: true });
    await expect(openMembers(mount)).rejects.toMatchObject(replaced("it is empty"));
    new DatabaseSync(path).close();
    await expect(openMembers(mount)).rejects.toMatchObject(replaced("it is empty"));
  });

  it("openMembers() refuses when the file has lost its write-ahead log", async () => {
    const store = await newStore();
    await store.commit([put(sampleMember(1, { state: "excluded" }))], wait());
    const [file, log] = [readFileSync(path), readFileSync(`${path}-wal`)];
    await store.close();
    writeFileSync(path, file);
    await expect(openMembers(mount)).rejects.toMatchObject(replaced(""));
    writeFileSync(path, file);
    writeFileSync(`${path}-wal`, log);
    expect(await reload()).toMatchObject([{}, { state: "excluded" }, {}]);
  });

  it("openMembers() refuses when the file is an older copy, or that of another system", async () => {
    await (await newStore()).close();
    const copy = readFileSync(path);
    const store = await openMembers(mount);
    await store.commit([put(sampleMember(1, { state: "excluded" }))], wait());
    await store.close();
    writeFileSync(path, copy);
    await expect(openMembers(mount)).rejects.toMatchObject(replaced("it has gone back"));
    const marker = readFileSync(membersMarker(mount).path);
    rmSync(mount, { recursive: true });
    await (await newStore()).close();
    writeFileSync(membersMarker(mount).path, marker);
    await expect(openMembers(mount)).rejects.toMatchObject(replaced("it is another store"));
  });

  it("openMembers() refuses when a pool is missing or differs from the record", async () => {
    const store = await newStore();
    await store.commitPools(
      [1, 2].map((number) => ({ kind: "put", pool: samplePool(number) })),
      wait(),
    );
    await store.close();
    const copy = readFileSync(path);
    for (const [damage, reason] of [
      ["DELETE FROM pools WHERE uuid LIKE '00000001%'", "it has 1 pool, recorded are 2"],
      [
        "UPDATE pools SET document = (SELECT document FROM pools WHERE uuid LIKE '00000002%'), uuid = '00000002-1111-4222-8333-444444444445' WHERE uuid LIKE '00000002%'",
        undefined,
      ],
    ] as const) {
      writeFileSync(path, copy);
      using database = new DatabaseSync(path);
      database.exec(damage);
      database.close();
      if (reason === undefined) {
        // A pool under another's uuid cannot be read itself, and does not keep the members from being used.
        const opened = await openMembers(mount);
        const unreadable: string[] = [];
        expect(await opened.loadPools({ onUnreadable: ({ uuid }) => unreadable.push(uuid) })).toHaveLength(1);
        expect(unreadable).toEqual(["00000002-1111-4222-8333-444444444445"]);
        await opened.close();
      } else {
        await expect(openMembers(mount)).rejects.toMatchObject({
          code: FaultCode.memberStoreUnusable,
          message: expect.stringContaining(reason) as string,
        });
      }
    }
  });

  it("repairMembersFile() moves a pool that cannot be read aside, and check shows it", async () => {
    const store = await newStore();
    await store.commitPools([{ kind: "put", pool: samplePool(1) }], wait());
    await store.close();
    const database = new DatabaseSync(path);
    database.exec("UPDATE pools SET document = replace(document, 'pool1', 'pool9')");
    database.close();
    const { uuid } = samplePool(1);
    expect(readMembersFile(path)).toMatchObject({ pools: [], unreadablePools: [{ kind: "pool", uuid }] });
    expect(await repairMembersFile(path)).toMatchObject([{ kind: "pool", uuid }]);
    expect(readMembersFile(path)).toMatchObject({
      pools: [],
      unreadablePools: [],
      quarantined: [{ kind: "pool", uuid, reason: expect.stringContaining("checksum") as string }],
    });
    expect(await reload()).toHaveLength(3);
  });

  it("openMembers() continues with the present content after it was accepted, also later", async () => {
    await (await newStore()).close();
    rmSync(path);
    const accepted = await openMembers(mount, { accept: true });
    expect(await accepted.load()).toEqual([]);
    await accepted.commit([put(sampleMember(7))], wait());
    await accepted.close();
    expect(await reload()).toMatchObject([{ rank: 7 }]);
  });

  it("openMembers() continues when one slot of the marker is missing or half written, but not without both", async () => {
    await (await newStore()).close();
    const { path: marker } = membersMarker(mount);
    rmSync(marker);
    expect(await reload()).toHaveLength(3);
    truncateSync(marker, 600);
    expect(await reload()).toHaveLength(3);
    writeFileSync(marker, "");
    expect(await reload()).toHaveLength(3);
    writeFileSync(marker, "");
    rmSync(path);
    await expect(openMembers(mount)).rejects.toMatchObject(replaced("cannot be read"));
  });

  it("openMembers() gives the documents of an earlier release their checksums", async () => {
    await (await newStore()).close();
    rmSync(membersMarker(mount).path);
    {
      using database = new DatabaseSync(path);
      database.exec("DROP TABLE store; CREATE INDEX members_by_rank ON members (rank)");
      for (const number of [0, 1, 2])
        database
          .prepare("UPDATE members SET document = ? WHERE rank = ?")
          .run(encodeMember(sampleMember(number)), number);
    }
    expect(await reload()).toEqual([sampleMember(0), sampleMember(1), sampleMember(2)]);
    using database = new DatabaseSync(path, { readOnly: true });
    const documents = database.prepare("SELECT document FROM members").all();
    expect(documents.every(({ document }) => String(document).includes('"checksum"'))).toBe(true);
    expect(membersMarker(mount).read()).toMatchObject({ kind: "seen" });
  });

  it("openMembers() trusts the documents where the column of the rank has changed", async () => {
    await (await newStore()).close();
    {
      using database = new DatabaseSync(path);
      database.exec("UPDATE members SET rank = 9 WHERE rank = 0");
    }
    const store = await openMembers(mount);
    expect((await store.load()).map(({ rank }) => rank)).toEqual([0, 1, 2]);
    const taken = store.commit([put(sampleMember(5, { rank: sampleMember(0).rank }))], wait());
    await expect(taken).rejects.toMatchObject({ code: FaultCode.memberConflict });
    await store.commit([put(sampleMember(9))], wait());
    await store.close();
  });

  it("openMembers() detects a missing row that SQLite does not detect", async () => {
    await (await newStore()).close();
    using database = new DatabaseSync(path);
    database.exec("DELETE FROM members WHERE rank = 1");
    await expect(openMembers(mount)).rejects.toMatchObject({
      code: FaultCode.memberStoreUnusable,
      reason: "the file is damaged: it has 2 members, recorded are 3",
      resolution: expect.stringContaining("members restore") as string,
    });
  });
});

describe("flipBits()", () => {
  const count = Number(process.env.DAOS_TEST_FLIPS ?? 150);
  const seed = Number(process.env.DAOS_TEST_SEED ?? 20_191_217);

  it.each(["members.db", "members.db-wal"] as const)(
    `openMembers() finds every one of ${count} bits that flip in %s, or reads the same`,
    { timeout: 10_000 + 200 * count },
    async (of) => {
      const summary = await flipBits(mount, { of, count, seed });
      process.stdout.write(`${of}, ${count} flips: ${JSON.stringify(summary)}\n`);
      expect(summary.silent).toEqual([]);
      expect(summary.refused).toBeGreaterThan(0);
    },
  );
});

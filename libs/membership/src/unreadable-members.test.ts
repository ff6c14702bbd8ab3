import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { FaultCode } from "@daos/fault";
import { createLogger, type LogRecord } from "@daos/log";
import { encodeMember, readMembersFile, repairMembersFile, SqliteMemberStore } from "@daos/member-store";
import { sampleMember, sampleUuid } from "@daos/member-store/testing";
import { NIL_RANK } from "@daos/rank";
import { systemClock } from "@daos/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Membership } from "./membership.ts";
import { SystemEvents } from "./system-events.ts";

let directory = "";
let path = "";
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "daos-members-"));
  path = join(directory, "members.db");
  const store = new SqliteMemberStore(path);
  const changes = [0, 1, 2].map((number) => ({ kind: "put", member: sampleMember(number) }) as const);
  await store.commit(changes, wait());
  await store.close();
  const database = new DatabaseSync(path);
  database
    .prepare("UPDATE members SET document = ? WHERE uuid = ?")
    .run(encodeMember(sampleMember(1)).replace('"rank":1', '"rank":4294967295'), sampleUuid(1));
  database.close();
});
afterEach(() => rmSync(directory, { recursive: true }));

const wait = () => ({ signal: AbortSignal.timeout(40_000) });
const bad = {
  uuid: sampleUuid(1),
  reason: expect.stringContaining("rank of a member is 4294967295") as string,
};

async function load(store: SqliteMemberStore, log: LogRecord[] = []): Promise<Membership> {
  const clock = systemClock;
  const events = new SystemEvents({
    log: createLogger((record) => log.push(record), { level: "INFO" }),
    clock,
  });
  return Membership.load({ store, events, clock, ...wait(), holds: () => true, ranksFrom: "engine" });
}

const { address, uri, contexts, faultDomain } = sampleMember(1);
const join1 = {
  uuid: sampleUuid(1),
  rank: NIL_RANK,
  address,
  uri,
  contexts,
  faultDomain,
  reports: true,
  recorded: false,
};

describe("Membership.load", () => {
  it("Membership.load() sets a member aside loudly when it cannot be read, and serves the others", async () => {
    const store = new SqliteMemberStore(path);
    const log: LogRecord[] = [];
    const membership = await load(store, log);
    expect(membership.list()).toEqual([sampleMember(0), sampleMember(2)]);
    expect(log).toMatchObject([
      { level: "ERROR", message: expect.stringContaining(sampleUuid(1)) as string },
    ]);
    expect(membership.events.list()).toMatchObject([{ kind: "member_unreadable", severity: "error" }]);
    // It may have been excluded, so it does not join; the others can.
    expect(membership.planJoin(join1)).toMatchObject({
      kind: "refuse",
      fault: { code: FaultCode.memberUnreadable },
    });
    await membership.setState([sampleUuid(2)], { state: "stopped", reason: "x\n".repeat(5000) });
    expect(membership.byRank(2)).toMatchObject({
      state: "stopped",
      reason: expect.stringMatching(/^(x\?)+x?\.\.\.$/) as string,
    });
    await store.close();
  });

  it("SqliteMemberStore.load() refuses when a member cannot be read and must not be left out", async () => {
    const store = new SqliteMemberStore(path);
    await expect(store.load()).rejects.toMatchObject({ code: FaultCode.memberUnreadable });
    await store.close();
  });
});

describe("Membership", () => {
  it("admit() refuses what cannot be kept, and the changes of others in the same commit are kept", async () => {
    const store = new SqliteMemberStore(path);
    const membership = await load(store);
    const fresh = { ...join1, uuid: sampleUuid(7) };
    const outcomes = await Promise.allSettled([
      membership.setState([sampleUuid(0)], { state: "stopped", reason: "" }),
      membership.admit(fresh, NIL_RANK),
      membership.admit({ ...fresh, uri: "x".repeat(5000) }, sampleMember(7).rank),
      membership.admit(fresh, sampleMember(8).rank),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
    expect(membership.list().map(({ rank, state }) => [rank, state])).toEqual([
      [0, "stopped"],
      [2, "joined"],
      [8, "joined"],
    ]);
    await store.close();
  });
});

describe("repairMembersFile", () => {
  it("repairMembersFile() moves what cannot be read aside, where it can be read again", async () => {
    expect(readMembersFile(path)).toMatchObject({
      members: [{ rank: 0 }, { rank: 2 }],
      unreadable: [bad],
      quarantined: [],
    });
    expect(await repairMembersFile(path)).toMatchObject([bad]);
    const after = readMembersFile(path);
    expect(after).toMatchObject({ members: [{ rank: 0 }, { rank: 2 }], unreadable: [], quarantined: [bad] });
    expect(after.quarantined[0]?.document).toContain('"rank":4294967295');
    expect(await repairMembersFile(path)).toEqual([]);
    const store = new SqliteMemberStore(path);
    expect((await load(store)).planJoin(join1)).toMatchObject({ kind: "ask-engine" });
    await store.close();
  });

  it("repairMembersFile() refuses while a server has the file open, and readMembersFile() does not", async () => {
    const server = new SqliteMemberStore(path);
    await expect(repairMembersFile(path)).rejects.toMatchObject({ code: FaultCode.membersInUse });
    expect(readMembersFile(path).unreadable).toMatchObject([bad]);
    await server.close();
  });
});

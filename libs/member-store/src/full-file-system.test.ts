import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { SmallFileSystem } from "@daos/sys/testing";
import { describe, expect, it } from "vitest";
import type { Member } from "./member.ts";
import { membersFile, openMembers } from "./members-file.ts";
import { sampleMember } from "./testing/sample-member.ts";

const isRoot = process.getuid?.() === 0;
const wait = () => ({ signal: AbortSignal.timeout(40_000) });
const put = (member: Member) => ({ kind: "put", member }) as const;
const all = (count: number, state: Member["state"], incarnation = 1) =>
  Array.from({ length: count }, (_, number) => put(sampleMember(number, { state, incarnation })));

describe.runIf(isRoot)("SqliteMemberStore on a file system that is lost", () => {
  it("commit() writes nothing to the directory below it", async () => {
    using small = new SmallFileSystem(32);
    const store = await openMembers(small.path);
    await store.commit(all(3, "joined"), wait());
    execFileSync("umount", ["-l", small.path]);
    await store.commit(all(3, "errored"), wait());
    expect(readdirSync(small.path)).toEqual([]);
    await store.close();
  });
});

/** A real file system of 32 MiB, which is filled to the last byte. */
describe.runIf(isRoot)("SqliteMemberStore on a full file system", () => {
  it("commit() still records the stop of every member, from the reserve", async () => {
    using small = new SmallFileSystem(32);
    const reserve = join(small.path, "control_plane", "members.reserve");
    const store = await openMembers(small.path);
    expect(statSync(reserve).size).toBe(4 * 1024 * 1024);
    await store.commit(all(2_000, "joined"), wait());
    small.fill();
    await store.commit(all(2_000, "stopped"), wait());
    expect(existsSync(reserve)).toBe(false);
    await store.close();
    const next = await openMembers(small.path);
    expect((await next.load()).every(({ state }) => state === "stopped")).toBe(true);
    await next.close();
  });

  it("commitEvents() is refused before the members have no room, and takes nothing from the reserve", async () => {
    using small = new SmallFileSystem(32);
    const reserve = join(small.path, "control_plane", "members.reserve");
    const store = await openMembers(small.path);
    await store.commit(all(100, "joined"), wait());
    small.fill();
    const event = { time: 1, kind: "engine_died", severity: "error", message: "one" } as const;
    await expect(
      store.commitEvents({ events: [{ ...event, number: 1 }], from: 1 }, wait()),
    ).rejects.toMatchObject({ code: FaultCode.memberStoreUnusable });
    expect(existsSync(reserve)).toBe(true);
    await store.commit(all(100, "stopped"), wait());
    expect(await store.loadEvents()).toEqual([]);
    await store.close();
  });

  it("openMembers() opens a store, and names the file and what to do when nothing can be recorded", async () => {
    using small = new SmallFileSystem(32);
    const first = await openMembers(small.path);
    await first.commit(all(100, "joined"), wait());
    await first.close();
    small.fill();
    // The reserve makes room for the first start, and the file that fills the rest takes that too.
    await (await openMembers(small.path)).close();
    small.fill();
    const store = await openMembers(small.path);
    expect(await store.load()).toHaveLength(100);
    await expect(
      (async () => {
        for (let round = 2; ; round++) await store.commit(all(100, "stopped", round), wait());
      })(),
    ).rejects.toMatchObject({
      code: FaultCode.memberStoreUnusable,
      message: expect.stringContaining(membersFile(small.path)) as string,
      reason: expect.stringContaining("its file system is full") as string,
      resolution: expect.stringContaining("make room") as string,
    });
    const before = await store.load();
    small.makeRoom();
    await store.commit(all(100, "stopped", 9_999), wait());
    expect(before[0]?.incarnation).not.toBe(9_999);
    expect((await store.load()).every(({ incarnation }) => incarnation === 9_999)).toBe(true);
    await store.close();
  });

  it("openMembers() names the file and what to do when there was never room for one", async () => {
    using small = new SmallFileSystem(1);
    small.fill();
    await expect(openMembers(small.path)).rejects.toMatchObject({
      code: FaultCode.memberStoreUnusable,
      message: expect.stringContaining(membersFile(small.path)) as string,
    });
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { type Member, SqliteMemberStore } from "@daos/member-store";
import { FailureDetector } from "@daos/membership";
import { joinOf, memberOf, reportOf } from "@daos/membership/testing";
import { parseRank } from "@daos/rank";
import { abortable, type Clock, delay, systemClock } from "@daos/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Election } from "./election.ts";
import { Leadership } from "./leadership.ts";
import { StaticLeader } from "./static-leader.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "daos-membership-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const self = { host: "10.0.0.1", port: 10001 };
const accessPoints = [{ host: "node1", port: 10001 }];

describe("Leadership with one access point", () => {
  it("does not lead while the members cannot be opened, says why, and leads without a restart when they can", async () => {
    const path = join(directory, "members.db");
    writeFileSync(path, "this is not a database, and it is long enough to be sure of that".repeat(20));
    const stop = new AbortController();
    const openStore = async () => new SqliteMemberStore(path);
    const election = new StaticLeader({ accessPoints, self, openStore });
    const leadership = new Leadership({ election, self, ranksFrom: "engine", log: silentLogger });
    const run = leadership.run(stop.signal);
    await expect.poll(() => election.outage, { timeout: 60_000 }).toBeDefined();
    expect(() => leadership.membership()).toThrow(/cannot be kept in .*members.db: file is not a database/);
    rmSync(path);
    await expect.poll(() => leadership.leadsHere, { timeout: 60_000 }).toBe(true);
    expect(election.outage).toBeUndefined();
    stop.abort();
    await run;
  });

  it("reports no outage when the server ends before the storage of the members is there", async () => {
    const stop = new AbortController();
    const openStore = ({ signal }: { readonly signal: AbortSignal }) =>
      abortable(new Promise<never>(() => {}), signal);
    const election = new StaticLeader({ accessPoints, self, openStore });
    const leadership = new Leadership({ election, self, ranksFrom: "engine", log: silentLogger });
    const run = leadership.run(stop.signal);
    stop.abort(new Error("the server ends"));
    await run;
    expect(election.outage).toBeUndefined();
  });

  it("copies the members after each change, and keeps the last copy when the store becomes empty", async () => {
    const store = new SqliteMemberStore(join(directory, "members.db"));
    const copies: (readonly Member[])[] = [];
    const leadership = new Leadership({
      election: new StaticLeader({ accessPoints, self, openStore: async () => store }),
      self,
      ranksFrom: "engine",
      saveCopy: async (members) => {
        copies.push(members);
        if (copies.length === 1) throw new Error("the disk is full");
      },
      log: silentLogger,
    });
    const stop = new AbortController();
    const run = leadership.run(stop.signal);
    await expect.poll(() => leadership.leadsHere).toBe(true);
    await leadership.membership().admit(joinOf(0), parseRank(0));
    // The first copy fails and is repeated.
    await expect.poll(() => copies.length, { timeout: 60_000 }).toBe(2);
    await leadership.membership().exclude([joinOf(0).uuid], "by an administrator");
    await expect.poll(() => copies.at(-1), { timeout: 60_000 }).toMatchObject([{ state: "excluded" }]);
    await leadership.membership().erase(joinOf(0).uuid);
    await delay(4_500);
    expect(copies).toHaveLength(3);
    stop.abort();
    await run;
  });

  it("leads while the storage of the members is there", async () => {
    const path = join(directory, "members.db");
    let storage = Promise.withResolvers<void>();
    const stop = new AbortController();
    const election = new StaticLeader({
      accessPoints,
      self,
      openStore: async () => {
        await storage.promise;
        return new SqliteMemberStore(path);
      },
    });
    const leadership = new Leadership({ election, self, ranksFrom: "engine", log: silentLogger });
    const run = leadership.run(stop.signal);
    expect(() => leadership.membership()).toThrow("is not ready");

    storage.resolve();
    await expect.poll(() => leadership.leadsHere).toBe(true);
    await expect.poll(() => leadership.membership().list()).toEqual([]);
    await leadership.membership().admit(joinOf(0), parseRank(0));
    const before = leadership.membership();

    storage = Promise.withResolvers();
    await election.release();
    expect(() => leadership.membership()).toThrow("is not ready");
    await expect(before.admit(joinOf(1), parseRank(1))).rejects.toThrow();

    storage.resolve();
    await expect.poll(() => leadership.leadsHere).toBe(true);
    await expect.poll(() => leadership.membership().list()).toMatchObject([{ rank: 0 }]);
    stop.abort();
    await run;
    expect(() => leadership.membership()).toThrow("is not ready");
  });

  it("has the events of former terms, and continues their numbers", async () => {
    const path = join(directory, "events.db");
    const lead = async (work: (leadership: Leadership) => Promise<void>) => {
      const election = new StaticLeader({
        accessPoints,
        self,
        openStore: async () => new SqliteMemberStore(path),
      });
      const leadership = new Leadership({ election, self, ranksFrom: "engine", log: silentLogger });
      const stop = new AbortController();
      const run = leadership.run(stop.signal);
      await expect.poll(() => leadership.leadsHere).toBe(true);
      await work(leadership);
      await leadership.saveEvents();
      stop.abort();
      await run;
    };
    await lead(async (leadership) => {
      await leadership.membership().admit(joinOf(0), parseRank(0));
    });
    await lead(async (leadership) => {
      const events = leadership.membership().events.list();
      expect(events.map(({ number, kind }) => `${number} ${kind}`)).toEqual([
        "1 leader_changed",
        "2 member_joined",
        "3 leader_changed",
      ]);
    });
  });

  it("leads without the events of former terms when they cannot be read, and does not overwrite them", async () => {
    const store = new SqliteMemberStore(join(directory, "unread-events.db"));
    const written: unknown[] = [];
    const election: Election = {
      accessPoints: [],
      run: async (onChange, { signal }) => {
        const broken = {
          load: store.load.bind(store),
          commit: store.commit.bind(store),
          loadPools: store.loadPools.bind(store),
          commitPools: store.commitPools.bind(store),
          loadEvents: () => Promise.reject(new Error("no such table")),
          commitEvents: async (change: unknown) => void written.push(change),
          close: () => store.close(),
        };
        onChange({ kind: "leading", term: { number: 7, store: broken, signal, holds: () => true } });
      },
    };
    const leadership = new Leadership({ election, self, ranksFrom: "store", log: silentLogger });
    const stop = new AbortController();
    const run = leadership.run(stop.signal);
    await expect.poll(() => leadership.leadsHere).toBe(true);
    await leadership.membership().admit(joinOf(3), parseRank(3));
    await leadership.saveEvents();
    expect(written).toEqual([]);
    stop.abort();
    await run;
    await store.close();
  });

  it("is named as the leader by the other hosts", async () => {
    const election = new StaticLeader({
      accessPoints,
      self: undefined,
      openStore: () => Promise.reject(new Error("unexpected")),
    });
    const other = { host: "10.0.0.7", port: 10001 };
    const leadership = new Leadership({ election, self: other, ranksFrom: "engine", log: silentLogger });
    const stop = new AbortController();
    const run = leadership.run(stop.signal);
    expect(leadership.leader).toEqual(accessPoints[0]);
    expect(() => leadership.membership()).toThrow(
      "10.0.0.7:10001 is not the leader of the management service: try node1:10001",
    );
    stop.abort();
    await run;
  });
});

describe("Leadership with etcd", () => {
  it("asks callers to wait while it reads the members", async () => {
    const stop = new AbortController();
    const store = new SqliteMemberStore(join(directory, "members.db"));
    const reading = Promise.withResolvers<readonly Member[]>();
    const slow = {
      load: () => reading.promise,
      commit: store.commit.bind(store),
      loadPools: store.loadPools.bind(store),
      commitPools: store.commitPools.bind(store),
      loadEvents: store.loadEvents.bind(store),
      commitEvents: store.commitEvents.bind(store),
      close: () => store.close(),
    };
    const election: Election = {
      accessPoints: [],
      run: async (onChange, { signal }) =>
        onChange({ kind: "leading", term: { number: 7, store: slow, signal, holds: () => true } }),
    };
    const leadership = new Leadership({ election, self, ranksFrom: "store", log: silentLogger });
    const run = leadership.run(stop.signal);
    expect(() => leadership.membership()).toThrow(
      expect.objectContaining({
        code: FaultCode.systemNotReady,
        message: expect.stringContaining("it reads the members from etcd"),
        resolution: expect.stringMatching(/^wait/),
      }),
    );
    reading.resolve([]);
    await expect.poll(() => leadership.leadsHere).toBe(true);
    stop.abort();
    await run;
    await store.close();
  });
});

describe("Leadership of a process that was frozen", () => {
  it("gives no answers afterwards, although its signal is late", async () => {
    let holds = true;
    const stop = new AbortController();
    const store = new SqliteMemberStore(join(directory, "members.db"));
    const election: Election = {
      accessPoints: [],
      run: async (onChange, { signal }) => {
        const end = new Promise<void>((resolve) => {
          signal.addEventListener("abort", () => resolve(), { once: true });
        });
        onChange({ kind: "leading", term: { number: 7, store, signal, holds: () => holds } });
        await end;
      },
    };
    const leadership = new Leadership({ election, self, ranksFrom: "store", log: silentLogger });
    const run = leadership.run(stop.signal);
    await expect.poll(() => leadership.leadsHere).toBe(true);
    expect(leadership.leader).toEqual(self);
    expect(leadership.membership().list()).toEqual([]);

    holds = false;
    expect(leadership.leadsHere).toBe(false);
    expect(leadership.leader).toBeUndefined();
    expect(() => leadership.membership()).toThrow("10.0.0.1:10001 is not the leader");
    expect(() => leadership.failureDetector()).toThrow("10.0.0.1:10001 is not the leader");
    stop.abort();
    await run;
    await store.close();
  });
});

describe("Leadership, for an excluded member whose host reports that it serves,", () => {
  it("stops its engine, once at a time, and again after a failure", async () => {
    const excluded = memberOf(1, { state: "excluded" });
    const store = new SqliteMemberStore(":memory:");
    const stop = new AbortController();
    const { signal } = stop;
    await store.commit(
      [memberOf(0), excluded].map((member) => ({ kind: "put", member })),
      { signal },
    );
    const asked: number[] = [];
    let answer = Promise.withResolvers<void>();
    const leadership = new Leadership({
      election: new StaticLeader({ accessPoints: [self], self, openStore: async () => store }),
      self,
      ranksFrom: "engine",
      stopExcluded: ({ rank }) => {
        asked.push(rank);
        return answer.promise;
      },
      log: silentLogger,
    });
    const run = leadership.run(signal);
    await expect.poll(() => leadership.leadsHere).toBe(true);
    const report = (state: "serving" | "stopped") =>
      leadership.membership().report(
        reportOf(
          self,
          [0, 1].map((rank) => ({ uuid: `uuid-${rank}`, state })),
        ),
      );
    await report("stopped");
    expect(asked).toEqual([]);
    await report("serving");
    await report("serving");
    expect(asked).toEqual([1]);
    answer.reject(new Error("not reached"));
    answer = Promise.withResolvers();
    await new Promise(setImmediate);
    await report("serving");
    expect(asked).toEqual([1, 1]);
    answer.resolve();
    stop.abort();
    await run;
  });
});

describe("FailureDetector", () => {
  it("overdueFor() counts from the last report of a member, and gives one that has just joined more time", () => {
    let now = 0;
    const clock: Clock = { ...systemClock, now: () => now };
    const detector = new FailureDetector({ clock });
    const member = memberOf(0);
    expect(detector.overdueFor(member)).toBeUndefined();
    now = 20_000;
    expect(detector.overdueFor(member)).toBeUndefined();
    now = 20_001;
    expect(detector.overdueFor(member)).toBe(20_001);
    detector.reported(member.address, [member], 5_000);
    now += 15_000;
    expect(detector.overdueFor(member)).toBeUndefined();
    now += 1;
    expect(detector.overdueFor(member)).toBe(15_001);
    expect(detector.overdueFor({ ...member, incarnation: 2 })).toBeUndefined();
  });

  it("reported() counts for the members that are named, whatever address the report comes from", () => {
    let now = 0;
    const detector = new FailureDetector({ clock: { ...systemClock, now: () => now } });
    const [member, other] = [memberOf(0), memberOf(1)];
    detector.overdueFor(member);
    detector.overdueFor(other);
    now = 20_001;
    detector.reported({ host: "10.0.0.9", port: 10001 }, [member], 5_000);
    expect([detector.overdueFor(member), detector.overdueFor(other)]).toEqual([undefined, 20_001]);
  });

  it("elsewhereFor() counts from the last report from the recorded address, once there is one from another", () => {
    let now = 0;
    const detector = new FailureDetector({ clock: { ...systemClock, now: () => now } });
    const member = memberOf(0);
    const elsewhere = { host: "10.0.0.9", port: 10001 };
    expect(detector.elsewhereFor(member)).toBe(0);
    detector.reported(member.address, [member], 5_000);
    now = 4_000;
    expect(detector.elsewhereFor(member)).toBe(0);
    detector.reported(elsewhere, [member], 5_000);
    now = 9_000;
    expect(detector.elsewhereFor(member)).toBe(9_000);
    detector.reported(member.address, [member], 5_000);
    expect(detector.elsewhereFor(member)).toBe(0);
  });
});

describe("SqliteMemberStore", () => {
  const { signal } = new AbortController();

  it("says when its file is not a database", () => {
    const path = join(directory, "members.db");
    writeFileSync(path, "this is not a database, and it is long enough to be sure of that".repeat(20));
    expect(() => new SqliteMemberStore(path)).toThrow(
      /cannot be kept in .*members.db: file is not a database/,
    );
  });

  it("takes over the members of the release before states", async () => {
    const path = join(directory, "members.db");
    const old = new DatabaseSync(path);
    old.exec(`CREATE TABLE member (uuid TEXT PRIMARY KEY, rank INTEGER NOT NULL UNIQUE, host TEXT NOT NULL,
      port INTEGER NOT NULL, uri TEXT NOT NULL, contexts INTEGER NOT NULL) STRICT`);
    old.exec(
      "INSERT INTO member VALUES ('b', 1, '::1', 10001, 'uri-b', 3), ('a', 0, '10.0.0.1', 10002, 'uri-a', 2)",
    );
    old.close();
    for (let opened = 0; opened < 2; opened++) {
      const store = new SqliteMemberStore(path);
      const since = {
        state: "joined",
        reason: "",
        since: 0,
        incarnation: 1,
        faultDomain: "",
        reports: false,
      };
      expect(await store.load()).toEqual([
        {
          uuid: "a",
          rank: 0,
          address: { host: "10.0.0.1", port: 10002 },
          uri: "uri-a",
          contexts: 2,
          ...since,
        },
        { uuid: "b", rank: 1, address: { host: "::1", port: 10001 }, uri: "uri-b", contexts: 3, ...since },
      ]);
      await store.close();
    }
  });

  it("refuses a rank for two, and keeps nothing of such a commit", async () => {
    const store = new SqliteMemberStore(":memory:");
    await store.commit([{ kind: "put", member: memberOf(0) }], { signal });
    const changes = [
      { kind: "put", member: memberOf(1) },
      { kind: "put", member: memberOf(0, { uuid: "other" }) },
    ] as const;
    await expect(store.commit(changes, { signal })).rejects.toMatchObject({ code: FaultCode.memberConflict });
    expect(await store.load()).toEqual([memberOf(0)]);
    // Two members may change ranks within one commit.
    await store.commit([{ kind: "put", member: memberOf(1) }], { signal });
    await store.commit(
      [
        { kind: "put", member: memberOf(1, { uuid: "uuid-0" }) },
        { kind: "put", member: memberOf(0, { uuid: "uuid-1" }) },
      ],
      { signal },
    );
    expect((await store.load()).map(({ uuid }) => uuid)).toEqual(["uuid-1", "uuid-0"]);
  });
});

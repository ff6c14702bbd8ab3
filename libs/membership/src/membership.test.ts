import { type Fault, FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import {
  encodeMember,
  type Member,
  type MemberChange,
  type MemberStore,
  SqliteMemberStore,
} from "@daos/member-store";
import { NIL_RANK, parseRank } from "@daos/rank";
import { systemClock } from "@daos/sys";
import { describe, expect, it } from "vitest";
import { type JoinRequest, Membership, type MembershipOptions } from "./membership.ts";
import { SystemEvents } from "./system-events.ts";
import { joinOf, memberOf, reportOf } from "./testing/members.ts";

const { signal } = new AbortController();

async function membershipOf(
  members: readonly Member[],
  options: Partial<MembershipOptions> = {},
): Promise<Membership> {
  const store = options.store ?? new SqliteMemberStore(":memory:");
  if (members.length > 0)
    await store.commit(
      members.map((member) => ({ kind: "put", member })),
      { signal },
    );
  const events = new SystemEvents({ log: silentLogger, clock: systemClock });
  return Membership.load({
    events,
    clock: systemClock,
    signal,
    holds: () => true,
    ranksFrom: "engine",
    ...options,
    store,
  });
}

const states = (membership: Membership) => membership.list().map(({ rank, state }) => [rank, state]);
const kinds = (membership: Membership) => membership.events.list().map(({ kind }) => kind);

describe("Membership.planJoin()", () => {
  const elsewhere = { host: "10.0.0.9", port: 10001 };
  const fresh = { uuid: "new", rank: NIL_RANK };

  it.each<[string, JoinRequest, readonly Member[], unknown]>([
    ["a new engine", joinOf(9, fresh), [memberOf(0)], { kind: "ask-engine", rank: NIL_RANK }],
    [
      "a new engine with a free rank",
      joinOf(9, { uuid: "new", rank: 7 }),
      [memberOf(0)],
      { kind: "ask-engine", rank: 7 },
    ],
    ["a member as it was", joinOf(1), [memberOf(1)], { kind: "ask-engine", rank: 1 }],
    [
      "a member that lost its rank",
      joinOf(1, { rank: NIL_RANK }),
      [memberOf(1)],
      { kind: "ask-engine", rank: 1 },
    ],
    [
      "a member at a new fabric address",
      joinOf(1, { uri: "x" }),
      [memberOf(1)],
      { kind: "ask-engine", rank: 1 },
    ],
    [
      "a replica at a new fabric address",
      joinOf(1, { uri: "x", recorded: true }),
      [memberOf(1)],
      { kind: "record", rank: 1 },
    ],
    ["a replica for the first time", joinOf(0, { recorded: true }), [], { kind: "record", rank: 0 }],
    ["a taken rank", joinOf(9, { uuid: "new", rank: 1 }), [memberOf(1)], refusal(FaultCode.memberConflict)],
    [
      "a replica whose rank was taken",
      joinOf(9, { uuid: "new", rank: 1, recorded: true }),
      [memberOf(1)],
      refusal(FaultCode.memberConflict),
    ],
    ["a changed rank", joinOf(1, { rank: 4 }), [memberOf(1)], refusal(FaultCode.memberConflict)],
    [
      "an excluded member",
      joinOf(1),
      [memberOf(1, { state: "excluded" })],
      refusal(FaultCode.memberExcluded),
    ],
    [
      "a copy of a member in service",
      joinOf(1, { address: elsewhere }),
      [memberOf(1)],
      refusal(FaultCode.memberElsewhere),
    ],
    [
      "a member that moved while it was stopped",
      joinOf(1, { address: elsewhere }),
      [memberOf(1, { state: "stopped" })],
      { kind: "ask-engine", rank: 1 },
    ],
    [
      "a member that moved, its old host is unresponsive",
      joinOf(1, { address: elsewhere }),
      [memberOf(1, { state: "unresponsive" })],
      { kind: "ask-engine", rank: 1 },
    ],
    [
      "an engine with another provider than the one in service",
      joinOf(1, { uri: "ofi+tcp://10.0.0.2:31416" }),
      [memberOf(0), memberOf(1, { state: "stopped" })],
      refusal(FaultCode.providerMismatch),
    ],
    [
      "the first engine with a new provider after all were stopped",
      joinOf(1, { uri: "ofi+tcp://10.0.0.2:31416" }),
      [memberOf(0, { state: "stopped" }), memberOf(1, { state: "stopped" })],
      { kind: "ask-engine", rank: 1 },
    ],
    [
      "a member of release 0.8.0 that moved",
      joinOf(1, { address: elsewhere }),
      [memberOf(1, { reports: false })],
      { kind: "ask-engine", rank: 1 },
    ],
  ])("decides on %s", async (_name, attempt, members, expected) => {
    expect((await membershipOf(members)).planJoin(attempt)).toMatchObject(expected as object);
  });

  it("names both providers when they differ, and what to write into the configuration", async () => {
    const { fault } = (await membershipOf([memberOf(0)])).planJoin(
      joinOf(9, { ...fresh, uri: "ofi+tcp://10.0.0.2:31416", address: elsewhere }),
    ) as { readonly fault: Fault };
    expect(fault.message).toBe(
      "engine new cannot join from 10.0.0.9:10001 with the fabric provider ofi+tcp: " +
        "rank 0 on 10.0.0.1:10001 is in service with ofi+sockets",
    );
    expect(fault.resolution).toContain("set provider: ofi+sockets in the configuration of 10.0.0.9:10001");
  });

  it.each<[string, JoinRequest, readonly Member[], unknown]>([
    ["the lowest free rank", joinOf(9, fresh), [memberOf(0), memberOf(2)], { kind: "reserve", rank: 1 }],
    [
      "the rank it asks for",
      joinOf(9, { uuid: "new", rank: 7 }),
      [memberOf(0)],
      { kind: "reserve", rank: 7 },
    ],
    [
      "the rank reserved before",
      joinOf(1, { rank: NIL_RANK }),
      [memberOf(1, { state: "joining", incarnation: 0 })],
      { kind: "reserve", rank: 1 },
    ],
    ["the rank it has to a member as it was", joinOf(1), [memberOf(1)], { kind: "reserve", rank: 1 }],
    [
      "its rank to a replica that comes back, and asks the one that leads",
      joinOf(1, { recorded: true }),
      [memberOf(1)],
      { kind: "ask-engine", rank: 1 },
    ],
    [
      "its rank to the first replica, which leads itself",
      joinOf(0, { recorded: true }),
      [],
      { kind: "ask-engine", rank: 0 },
    ],
    ["nothing before the first replica is known", joinOf(9, fresh), [], refusal(FaultCode.systemNotReady)],
  ])("returns for several access points %s", async (_name, attempt, members, expected) => {
    const membership = await membershipOf(members, { ranksFrom: "store" });
    expect(membership.planJoin(attempt)).toMatchObject(expected as object);
  });

  function refusal(code: number) {
    return { kind: "refuse", fault: { code } };
  }
});

describe("Membership", () => {
  it("counts the joins of an engine, and is the same after the store was opened again", async () => {
    const store = new SqliteMemberStore(":memory:");
    const membership = await membershipOf([], { store });
    for (const rank of [2, 0, 1]) await membership.admit(joinOf(rank), parseRank(rank));
    const moved = { host: "10.0.0.9", port: 10002 };
    await membership.admit(joinOf(1, { address: moved }), parseRank(1));
    expect(membership.list()).toMatchObject([
      { rank: 0, incarnation: 1 },
      { rank: 1, incarnation: 2, address: moved },
      { rank: 2, incarnation: 1 },
    ]);
    expect(kinds(membership)).toEqual([
      "member_joined",
      "member_joined",
      "member_joined",
      "member_restarted",
    ]);
    expect((await membershipOf([], { store })).list()).toEqual(membership.list());
  });

  it("assigns each rank once, also for joins at the same time", async () => {
    const membership = await membershipOf([memberOf(0)]);
    const joins = ["a", "b"].map((uuid) => membership.admit(joinOf(1, { uuid }), parseRank(1)));
    expect((await Promise.allSettled(joins)).map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect(membership.list().map(({ uuid }) => uuid)).toEqual(["uuid-0", "a"]);
    using _claim = membership.claim(parseRank(5));
    expect(membership.planJoin(joinOf(5))).toMatchObject({ kind: "refuse" });
  });

  it("reserves a rank, and gives it back when the data plane refuses", async () => {
    const membership = await membershipOf([memberOf(0)], { ranksFrom: "store" });
    await membership.reserve(joinOf(1), parseRank(1));
    expect(states(membership)).toEqual([
      [0, "joined"],
      [1, "joining"],
    ]);
    await membership.release("uuid-1");
    await membership.release("uuid-0");
    expect(states(membership)).toEqual([[0, "joined"]]);
  });

  it("combines the changes of many calls into few commits", async () => {
    const membership = await membershipOf([]);
    await Promise.all(
      Array.from({ length: 200 }, (_, rank) => membership.admit(joinOf(rank), parseRank(rank))),
    );
    expect(membership.list()).toHaveLength(200);
    expect(membership.commits).toBe(1);
  });

  it("shows durable changes only, and drops those that could not be stored", async () => {
    const broken = new BrokenStore();
    const membership = await membershipOf([memberOf(0)], { store: broken });
    broken.works = false;
    const joins = [membership.admit(joinOf(1), parseRank(1)), membership.exclude(["uuid-0"], "x")];
    expect(states(membership)).toEqual([[0, "joined"]]);
    for (const { status } of await Promise.allSettled(joins)) expect(status).toBe("rejected");
    expect(membership.planJoin(joinOf(1, { uuid: "other" }))).toMatchObject({ kind: "ask-engine" });
    broken.works = true;
    await membership.admit(joinOf(1, { uuid: "other" }), parseRank(1));
    expect(states(membership)).toEqual([
      [0, "joined"],
      [1, "joined"],
    ]);
    expect(broken.committed).toEqual(["uuid-0", "other"]);
  });

  it("accepts reports of the known incarnation, and from another host only those", async () => {
    const membership = await membershipOf([memberOf(0, { incarnation: 3 })]);
    const failed = { uuid: "uuid-0", state: "failed", reason: "killed by SIGSEGV" } as const;
    const elsewhere = { host: "10.0.0.9", port: 10001 };
    for (const incarnation of [0, 2])
      await membership.report(reportOf(elsewhere, [{ ...failed, incarnation }]));
    await membership.report(reportOf(memberOf(0).address, [{ ...failed, incarnation: 2 }]));
    expect(states(membership)).toEqual([[0, "joined"]]);
    await membership.report(
      reportOf(elsewhere, [
        { ...failed, incarnation: 3 },
        { ...failed, uuid: "stranger", incarnation: 1 },
      ]),
    );
    expect(membership.list()).toMatchObject([{ state: "errored", reason: "killed by SIGSEGV" }]);
    expect(membership.events.list()).toMatchObject([{ kind: "engine_died", rank: 0 }]);
  });

  it("accepts reports of an engine that has joined after the copy from which the store was restored", async () => {
    const stopped = { state: "stopped", reason: "by an administrator" } as const;
    const membership = await membershipOf([memberOf(0, { incarnation: 3, ...stopped }), memberOf(1)]);
    const serving = [{ uuid: "uuid-0", incarnation: 4 }];
    await membership.report(reportOf(memberOf(0).address, serving));
    await membership.report(reportOf(memberOf(1).address, [{ uuid: "uuid-1", incarnation: 7 }]));
    expect(membership.list()).toMatchObject([
      { state: "joined", incarnation: 4 },
      { state: "joined", incarnation: 7 },
    ]);
    const late = { uuid: "uuid-0", state: "failed", incarnation: 3, reason: "SIGSEGV" } as const;
    await membership.report(reportOf(memberOf(0).address, [late]));
    expect(states(membership)[0]).toEqual([0, "joined"]);
  });

  it("updates the address of members that have moved, with an event, and keeps their states", async () => {
    const since = memberOf(0).since;
    const membership = await membershipOf([
      memberOf(0),
      memberOf(1, { state: "unresponsive", reason: "silent" }),
    ]);
    const host = { host: "10.0.0.9", port: 10001 };
    const report = reportOf(host, [{ uuid: "uuid-0" }, { uuid: "uuid-1" }]);
    await membership.report(report, { moved: ["uuid-0", "uuid-1"] });
    expect(membership.list()).toMatchObject([
      { address: host, state: "joined", since },
      { address: host, state: "joined", reason: "" },
    ]);
    expect(membership.events.list()).toMatchObject([
      { kind: "swim_rank_alive", rank: 1, severity: "notice", message: "rank 1 is responsive again" },
      { kind: "member_moved", rank: 0, message: "rank 0 reports from 10.0.0.9:10001 now", address: host },
      { kind: "member_moved", rank: 1 },
    ]);
  });

  it("marks a member as missing when its host reports another engine in its place", async () => {
    const membership = await membershipOf([
      memberOf(0, { instance: 0 }),
      memberOf(1, { instance: 1, state: "unresponsive" }),
      memberOf(2, { instance: 2, state: "excluded" }),
    ]);
    const { address } = memberOf(0);
    await membership.report(
      reportOf(
        address,
        [
          { uuid: "new", instance: 0 },
          { uuid: undefined, instance: 1, state: "failed", reason: "SCM is not formatted" },
        ],
        2,
      ),
    );
    expect(membership.list()).toMatchObject([
      { state: "errored", reason: "engine 0 of its host has another identity now: new" },
      {
        state: "errored",
        reason: "the storage of engine 1 of its host has no superblock: SCM is not formatted",
      },
      { state: "excluded" },
    ]);
  });

  it("shows a member as replaced when a new engine joins in its place, until it joins again itself", async () => {
    const members = [
      memberOf(0, { instance: 0 }),
      memberOf(1, { instance: 1 }),
      memberOf(2, { instance: 0, address: { host: "10.0.0.2", port: 10001 } }),
    ];
    const membership = await membershipOf(members);
    const fresh = joinOf(3, { instance: 0 });
    await membership.admit(fresh, parseRank(3));
    expect(membership.byRank(0)).toMatchObject({
      state: "replaced",
      reason: "by rank 3 on its host",
      replacedBy: 3,
    });
    expect(states(membership).slice(1)).toEqual([
      [1, "joined"],
      [2, "joined"],
      [3, "joined"],
    ]);
    expect(kinds(membership)).toEqual(["member_joined", "member_replaced"]);
    await membership.report(
      reportOf(members[0]?.address ?? fresh.address, [{ uuid: "uuid-0", instance: 0 }]),
    );
    await membership.setState(["uuid-0"], { state: "stopped", reason: "" });
    expect(membership.byRank(0).state).toBe("replaced");
    await membership.admit(joinOf(0, { instance: 0 }), parseRank(0));
    expect(membership.byRank(0)).toMatchObject({ state: "joined", incarnation: 2 });
    expect(membership.byRank(0).replacedBy).toBeUndefined();
    // That one has joined before: its storage may come back as well.
    expect(membership.byRank(3).state).toBe("errored");
  });

  it("keeps a replaced member excluded, and shows it as replaced after the exclusion is cleared", async () => {
    const membership = await membershipOf([memberOf(0, { instance: 0, state: "excluded" })]);
    await membership.admit(joinOf(1, { instance: 0 }), parseRank(1));
    expect(membership.byRank(0)).toMatchObject({ state: "excluded", replacedBy: 1 });
    await membership.clearExclude(["uuid-0"]);
    expect(membership.byRank(0)).toMatchObject({ state: "replaced", reason: "by rank 1 on its host" });
  });

  it("leaves a member to the command that works on it", async () => {
    const membership = await membershipOf([memberOf(0)]);
    const report = { uuid: "uuid-0", incarnation: 1, state: "failed", reason: "gone" } as const;
    await membership.whileBusy(["uuid-0"], async () => {
      await membership.report(reportOf(memberOf(0).address, [report]));
      await membership.report(reportOf(memberOf(0).address, [{ uuid: "new" }], 1));
      expect(states(membership)).toEqual([[0, "joined"]]);
    });
    await membership.report(reportOf(memberOf(0).address, [report]));
    expect(states(membership)).toEqual([[0, "errored"]]);
  });

  it("excludes members until the exclusion is cleared", async () => {
    const membership = await membershipOf([memberOf(0), memberOf(1)]);
    await membership.exclude(["uuid-1", "unknown"], "by an administrator");
    await membership.setState(["uuid-1"], { state: "joined", reason: "" });
    await membership.report(reportOf(memberOf(1).address, [{ uuid: "uuid-1" }]));
    await expect(membership.admit(joinOf(1), parseRank(1))).rejects.toThrow(
      "an administrator has excluded it",
    );
    expect(states(membership)).toEqual([
      [0, "joined"],
      [1, "excluded"],
    ]);
    await membership.clearExclude(["uuid-0", "uuid-1"]);
    expect(states(membership)).toEqual([
      [0, "joined"],
      [1, "stopped"],
    ]);
    expect(kinds(membership)).toEqual(["member_excluded", "member_exclusion_cleared"]);
  });

  it("confirms an erase only when it is durable, also to a second caller", async () => {
    const broken = new BrokenStore();
    const membership = await membershipOf([memberOf(0)], { store: broken });
    broken.works = false;
    const erases = await Promise.allSettled([membership.erase("uuid-0"), membership.erase("uuid-0")]);
    expect(erases.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(states(membership)).toEqual([[0, "joined"]]);
  });

  it.each<[string, (membership: Membership) => Promise<unknown>]>([
    ["a stop", (membership) => membership.setState(["uuid-0"], { state: "stopping", reason: "" })],
    ["another exclusion", (membership) => membership.exclude(["uuid-0"], "by another one")],
    ["a join", (membership) => membership.admit(joinOf(0), parseRank(0))],
  ])("does not rely on an exclusion that is not durable: %s", async (_name, rely) => {
    const broken = new BrokenStore();
    const membership = await membershipOf([memberOf(0)], { store: broken });
    broken.works = false;
    const excluded = membership.exclude(["uuid-0"], "by an administrator");
    await expect(Promise.all([excluded.catch(() => {}), rely(membership)])).rejects.toThrow("no space left");
    expect(states(membership)).toEqual([[0, "joined"]]);
    await expect(membership.settled()).resolves.toBeUndefined();
  });

  it("selects by ranks and hosts, and names those that do not exist", async () => {
    const membership = await membershipOf([
      memberOf(0),
      memberOf(1, { address: { host: "10.0.0.2", port: 10001 } }),
      memberOf(2),
    ]);
    const ranks = (from: readonly Member[]) => from.map(({ rank }) => rank);
    expect(ranks(membership.select([], []).members)).toEqual([0, 1, 2]);
    const selected = membership.select([2, 9], ["10.0.0.2:10001", "10.0.0.7:10001"]);
    expect(ranks(selected.members)).toEqual([1, 2]);
    expect(selected).toMatchObject({ missingRanks: [9], missingHosts: ["10.0.0.7:10001"] });
    expect(() => membership.byRank(9)).toThrow("the system has no rank 9");
  });

  it("changes nothing when the term is over", async () => {
    const term = new AbortController();
    const membership = await membershipOf([memberOf(0)], { signal: term.signal });
    term.abort(new Error("the term is over"));
    await expect(membership.admit(joinOf(1), parseRank(1))).rejects.toThrow("the term is over");
    expect(states(membership)).toEqual([[0, "joined"]]);
  });
});

/** Keeps the order of uuids that were committed; refuses while it does not work. */
class BrokenStore implements Pick<MemberStore, "load" | "commit"> {
  works = true;
  readonly committed: string[] = [];
  readonly #members = new Map<string, Member>();
  async load() {
    return [...this.#members.values()];
  }
  async commit(changes: readonly MemberChange[]) {
    await new Promise(setImmediate);
    if (!this.works) throw new Error("no space left on device");
    for (const change of changes) {
      if (change.kind !== "put") throw new Error("unexpected");
      this.committed.push(change.member.uuid);
      this.#members.set(change.member.uuid, change.member);
    }
  }
  async close() {}
}

describe("encodeMember", () => {
  it("is stable: members of this release stay readable", () => {
    expect(encodeMember(memberOf(3, { address: { host: "::1", port: 10001 } }))).toBe(
      '{"version":1,"uuid":"uuid-3","rank":3,"address":"[::1]:10001","uri":"ofi+sockets://10.0.0.1:31419","contexts":2,' +
        '"state":"joined","reason":"","since":1700000000000,"incarnation":1,"faultDomain":"/rack0/node1","reports":true}',
    );
  });
});

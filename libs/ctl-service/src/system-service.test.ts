import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Client, createClient, createRouterTransport } from "@connectrpc/connect";
import { Leadership, type LeaderView } from "@daos/election";
import { expirableLeader, followerOf, leaderOf } from "@daos/election/testing";
import { Fault, FaultCode } from "@daos/fault";
import { Harness } from "@daos/harness";
import { formatHostAddress } from "@daos/hostlist";
import type { EngineInstance } from "@daos/instance";
import { silentLogger } from "@daos/log";
import { type Member, openMembers } from "@daos/member-store";
import { joinOf, memberOf } from "@daos/membership/testing";
import { ctl } from "@daos/proto";
import { serviceContract, withoutAdditions } from "@daos/proto/testing";
import { parseRank } from "@daos/rank";
import { faultInterceptor, fromConnectError } from "@daos/rpc";
import { SmallFileSystem } from "@daos/sys/testing";
import { type MemberCalls, SystemActions } from "@daos/system";
import { describe, expect, it } from "vitest";
import { systemService } from "./system-service.ts";

const self = { host: "10.0.0.1", port: 10001 };
const on = (host: string) => ({ address: { host, port: 10001 } });
const State = ctl.MemberState;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

const refused = new Fault({
  domain: "engine",
  code: FaultCode.engineNotRunning,
  description: "it is starting",
  resolution: "wait",
});
const hangs = new Fault({
  domain: "engine",
  code: FaultCode.engineNotReady,
  description: "no answer",
  resolution: "look",
});
const dead = new Fault({
  domain: "client",
  code: FaultCode.hostUnreachable,
  description: "no route",
  resolution: "look",
});

/** Hosts whose calls are recorded as `prep 1`; those named in `faults` fail. */
function hosts(faults: Readonly<Record<string, Fault>> = {}, onCall: (what: string) => unknown = () => {}) {
  const calls: string[] = [];
  const call = (verb: string) => async (_host: unknown, rank: number) => {
    const what = `${verb} ${rank}`;
    calls.push(what);
    await onCall(what);
    const fault = faults[what];
    if (fault !== undefined) throw fault;
  };
  const members: MemberCalls = {
    prepShutdown: call("prep"),
    killRank: call("kill"),
    startRank: call("start"),
    eraseRank: call("erase"),
  };
  return { members, calls };
}

interface Parts {
  readonly members?: MemberCalls;
  readonly leadership: Leadership;
  /** Uuids of the engines of the host that answers. */
  readonly own?: readonly string[];
}

function client({
  members = hosts().members,
  leadership,
  own = ["uuid-0", "uuid-3"],
}: Parts): Client<typeof ctl.MgmtCtl> {
  const engines = own.map((uuid) => ({ superblock: { uuid } }) as unknown as EngineInstance);
  const harness = new Harness(engines, silentLogger);
  const actions = new SystemActions({ leadership, harness, calls: members, log: silentLogger });
  const service = systemService({ leadership, actions, log: silentLogger });
  const transport = createRouterTransport((router) => router.service(ctl.MgmtCtl, service), {
    router: { interceptors: [faultInterceptor] },
  });
  return createClient(ctl.MgmtCtl, transport);
}

/** Three hosts; rank 0 is the leader's. */
const three = (change: Partial<Member> = {}) => [
  memberOf(0, on("10.0.0.1")),
  memberOf(1, { ...on("10.0.0.2"), ...change }),
  memberOf(2, on("10.0.0.3")),
];

const outcomes = ({ results }: ctl.SystemActionResp) =>
  results.map(({ rank, action, fault, state }) => [rank, action, fault?.code ?? "ok", State[state]]);

const statesOf = (leadership: Leadership) =>
  leadership
    .membership()
    .list()
    .map(({ state }) => state);

describe("SystemQuery", () => {
  it("lists the members by rank with their states", async () => {
    const leadership = await leaderOf(
      self,
      three({ state: "errored", reason: "SIGSEGV", incarnation: 4 }).reverse(),
    );
    const { members } = await client({ leadership }).systemMemberQuery({});
    expect(members.map(({ rank, addr, state }) => [rank, addr, State[state]])).toEqual([
      [0, "10.0.0.1:10001", "MEMBER_JOINED"],
      [1, "10.0.0.2:10001", "MEMBER_ERRORED"],
      [2, "10.0.0.3:10001", "MEMBER_JOINED"],
    ]);
    const query = await client({ leadership }).systemQuery({
      selection: { ranks: [1, 9], hosts: ["10.0.0.9:10001"] },
    });
    expect(query).toMatchObject({ missingRanks: [9], missingHosts: ["10.0.0.9:10001"] });
    expect(query.members).toMatchObject([
      {
        rank: 1,
        reason: "SIGSEGV",
        incarnation: 4,
        faultDomain: "/rack0/node1",
        nctxs: 2,
        since: 1_700_000_000_000n,
      },
    ]);
  });

  it("is refused on other hosts, with the leader's address in the fault", async () => {
    const leadership = followerOf({ host: "node1", port: 10001 }, { host: "10.0.0.9", port: 10001 });
    const error: unknown = await client({ leadership })
      .systemQuery({})
      .catch((reason: unknown) => reason);
    const fault = fromConnectError(error, { attempted: "query members", host: "node9:10001" });
    expect(fault).toMatchObject({ code: FaultCode.notLeader, reason: "try node1:10001" });
  });

  it("SystemEvents streams the events, and continues with follow", async () => {
    const leadership = await leaderOf(self, three());
    await leadership.membership().exclude(["uuid-2"], "by an administrator");
    const kept = await Array.fromAsync(client({ leadership }).systemEvents({}));
    expect(kept.map(({ number, kind }) => [number, kind])).toEqual([
      [1n, "leader_changed"],
      [2n, "member_excluded"],
    ]);
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const { kind } of client({ leadership }).systemEvents(
      { follow: true, after: 1n },
      { signal: stop.signal },
    )) {
      seen.push(kind);
      if (seen.length === 1) await leadership.membership().clearExclude(["uuid-2"]);
      else break;
    }
    expect(seen).toEqual(["member_excluded", "member_exclusion_cleared"]);
  });
});

describe("SystemActions.stop()", () => {
  it("prepares all engines, then stops the others, then the leader's own", async () => {
    const leadership = await leaderOf(self, three());
    const { members, calls } = hosts();
    const answer = await client({ leadership, members }).systemStopMembers({});
    expect(calls.slice(0, 3).sort()).toEqual(["prep 0", "prep 1", "prep 2"]);
    expect(calls.slice(3)).toEqual(["kill 1", "kill 2", "kill 0"]);
    expect(outcomes(answer)).toEqual([0, 1, 2].map((rank) => [rank, "stop", "ok", "MEMBER_STOPPED"]));
    expect(statesOf(leadership)).toEqual(["stopped", "stopped", "stopped"]);
  });

  it("continues when one engine fails, and does not call a dead host again", async () => {
    const leadership = await leaderOf(self, three());
    const { members, calls } = hosts({ "prep 1": dead, "kill 2": refused });
    const answer = await client({ leadership, members }).systemStopMembers({});
    expect(calls).not.toContain("kill 1");
    expect(outcomes(answer)).toEqual([
      [0, "stop", "ok", "MEMBER_STOPPED"],
      [1, "prep shutdown", FaultCode.hostUnreachable, "MEMBER_UNRESPONSIVE"],
      [2, "stop", FaultCode.engineNotRunning, "MEMBER_ERRORED"],
    ]);
    expect(leadership.membership().events.list().at(-1)).toMatchObject({
      kind: "system_stop_failed",
      severity: "error",
      message: expect.stringMatching(/^the stop of the system failed for ranks 1-2: prep shutdown: /),
    });
  });

  it("prepares no engine when only a part of the system is stopped", async () => {
    const leadership = await leaderOf(self, three());
    const { members, calls } = hosts();
    await client({ leadership, members }).systemStopMembers({ selection: { ranks: [1] } });
    expect(calls).toEqual(["kill 1"]);
    // What is left is the whole system now.
    await client({ leadership, members }).systemStopMembers({ selection: { ranks: [0, 2] } });
    expect(calls.slice(1).sort()).toEqual(["kill 0", "kill 2", "prep 0", "prep 2"]);
  });

  it.each([
    ["excluded", { state: "excluded" }, "it is left out, an administrator has excluded it"],
    ["replaced", { state: "replaced", replacedBy: parseRank(2) }, "it is left out, rank 2 has replaced it"],
  ] as const)(
    "leaves out a member that is %s when the whole system is stopped, with a note",
    async (_name, change, note) => {
      const leadership = await leaderOf(self, three(change));
      const { members, calls } = hosts();
      const answer = await client({ leadership, members }).systemStopMembers({});
      expect(calls.filter((call) => call.endsWith("1"))).toEqual([]);
      expect(calls).toContain("prep 2");
      expect(answer.results.map(({ fault }) => fault)).toEqual([undefined, undefined, undefined]);
      expect(answer.results[1]).toMatchObject({ rank: 1, note });
      expect(statesOf(leadership)).toEqual(["stopped", change.state, "stopped"]);
    },
  );

  it("stops the engine of a named excluded member; a replaced member has none", async () => {
    const { members, calls } = hosts();
    const selection = { ranks: [1] };
    const excluded = await leaderOf(self, three({ state: "excluded" }));
    await client({ leadership: excluded, members }).systemStopMembers({ selection, force: true });
    expect(calls).toEqual(["kill 1"]);
    const replaced = await leaderOf(self, three({ state: "replaced", replacedBy: parseRank(2) }));
    const answer = await client({ leadership: replaced, members }).systemStopMembers({ selection });
    expect(answer.results).toMatchObject([{ note: "it does not run, rank 2 has replaced it" }]);
    expect(calls).toHaveLength(1);
  });

  it.each(["prep 1", "kill 1"])(
    "leaves members with an unknown outcome unchanged when its caller gives up at %s",
    async (at) => {
      const leadership = await leaderOf(self, three());
      const stop = new AbortController();
      const { members } = hosts({}, (what) => {
        if (what !== at) return undefined;
        stop.abort();
        return new Promise((_resolve, reject) => setImmediate(reject, dead));
      });
      const service = client({ leadership, members });
      await expect(service.systemStopMembers({ fanout: 1 }, { signal: stop.signal })).rejects.toThrow();
      await expect.poll(() => statesOf(leadership)).not.toContain("stopping");
      expect(statesOf(leadership)[1]).toBe("joined");
      expect(statesOf(leadership)).not.toContain("unresponsive");
    },
  );

  it("stops the named members, by force without preparation", async () => {
    const leadership = await leaderOf(self, [
      ...three(),
      memberOf(3, { ...on("10.0.0.3"), state: "stopped" }),
    ]);
    const { members, calls } = hosts();
    const selection = { ranks: [1], hosts: ["10.0.0.3:10001"] };
    const answer = await client({ leadership, members }).systemStopMembers({ selection, force: true });
    expect(calls).toEqual(["kill 1", "kill 2"]);
    expect(outcomes(answer).map(([rank]) => rank)).toEqual([1, 2, 3]);
    expect(statesOf(leadership)).toEqual(["joined", "stopped", "stopped", "stopped"]);
  });

  it("does nothing when a named rank or host does not exist", async () => {
    const leadership = await leaderOf(self, three());
    const { members, calls } = hosts();
    const answer = await client({ leadership, members }).systemStopMembers({ selection: { ranks: [1, 9] } });
    expect(answer).toMatchObject({ missingRanks: [9], results: [] });
    expect(calls).toEqual([]);
    expect(statesOf(leadership)).toEqual(["joined", "joined", "joined"]);
  });

  it("waits for all unresponsive hosts at the same time", async () => {
    const silent = Array.from({ length: 12 }, (_, rank) => memberOf(rank + 1, on(`10.0.1.${rank}`)));
    const leadership = await leaderOf(self, [memberOf(0, on("10.0.0.1")), ...silent]);
    let waiting = 0;
    let most = 0;
    const never = (_: unknown, __: unknown, { signal }: { readonly signal: AbortSignal }) => {
      most = Math.max(most, ++waiting);
      return new Promise<void>((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          waiting--;
          reject(signal.reason);
        });
      });
    };
    const members = { ...hosts().members, prepShutdown: never };
    const answer = await client({ leadership, members }).systemStopMembers({ timeoutMs: 100 });
    expect(most).toBe(13);
    expect(answer.results).toHaveLength(13);
    expect(new Set(answer.results.map(({ fault }) => fault?.code))).toEqual(new Set([FaultCode.timedOut]));
  });

  it("sends the hosts their time limit, and kills an engine that hangs while its host answers", async () => {
    const leadership = await leaderOf(self, three());
    const { members, calls } = hosts();
    const allowed: number[] = [];
    const prepShutdown: MemberCalls["prepShutdown"] = async (_host, rank, { timeoutMs }) => {
      allowed.push(timeoutMs);
      if (rank === 1) throw hangs;
    };
    const answer = await client({
      leadership,
      members: { ...members, prepShutdown },
    }).systemStopMembers({ timeoutMs: 9_000 });
    expect(allowed).toEqual([9_000, 9_000, 9_000]);
    expect(calls).toEqual(["kill 1", "kill 2", "kill 0"]);
    expect(outcomes(answer)).toEqual([0, 1, 2].map((rank) => [rank, "stop", "ok", "MEMBER_STOPPED"]));
  });

  it("waits only once for dead hosts, including one that is known to be unresponsive", async () => {
    const leadership = await leaderOf(self, three({ state: "unresponsive" }));
    const { members, calls } = hosts({ "prep 1": dead, "prep 2": dead });
    const answer = await client({ leadership, members }).systemStopMembers({});
    expect(calls.slice(0, 3).sort()).toEqual(["prep 0", "prep 1", "prep 2"]);
    expect(calls.slice(3)).toEqual(["kill 0"]);
    expect(outcomes(answer)).toEqual([
      [0, "stop", "ok", "MEMBER_STOPPED"],
      [1, "prep shutdown", FaultCode.hostUnreachable, "MEMBER_UNRESPONSIVE"],
      [2, "prep shutdown", FaultCode.hostUnreachable, "MEMBER_UNRESPONSIVE"],
    ]);
  });

  it.each(serviceContract().filter(({ rpc }) => /\/System(?:MemberQuery|Stop)$/.test(rpc)))(
    "answers clients of release 0.8.0 byte for byte: $name",
    async (one) => {
      const uuidOf = (rank: number) => `0000000${rank}-1111-4222-8333-444444444444`;
      const members = [0, 1].map((rank) => ({
        ...memberOf(rank, on(`10.0.0.${rank + 1}`)),
        uuid: uuidOf(rank),
      }));
      const service = client({ leadership: await leaderOf(self, members), own: [uuidOf(0)] });
      const { systemStop, systemMemberQuery } = ctl.MgmtCtl.method;
      const answer = one.rpc.endsWith("Stop")
        ? toBinary(systemStop.output, await service.systemStop(fromBinary(systemStop.input, one.in)))
        : toBinary(
            systemMemberQuery.output,
            withoutAdditions(
              systemMemberQuery.output,
              await service.systemMemberQuery(fromBinary(systemMemberQuery.input, one.in)),
            ),
          );
      expect(hex(answer)).toBe(hex(one.out));
    },
  );

  it("answers clients of release 0.8.0 with each step", async () => {
    const leadership = await leaderOf(self, three());
    const { members } = hosts({ "kill 1": refused });
    const { results } = await client({ leadership, members }).systemStop({});
    expect(results.map(({ id, action, errored }) => [id, action, errored])).toEqual([
      ["10.0.0.1:10001/uuid-0/0", "prep shutdown", false],
      ["10.0.0.2:10001/uuid-1/1", "prep shutdown", false],
      ["10.0.0.3:10001/uuid-2/2", "prep shutdown", false],
      ["10.0.0.2:10001/uuid-1/1", "stop", true],
      ["10.0.0.3:10001/uuid-2/2", "stop", false],
      ["10.0.0.1:10001/uuid-0/0", "stop", false],
    ]);
    expect(results[3]?.msg).toBe("it is starting");
  });
});

/** Members in a file on a full file system of 32 MiB, whose reserve and write-ahead log are used up. */
async function leaderOnFullStorage(): Promise<Disposable & { leadership: Leadership; makeRoom: () => void }> {
  const small = new SmallFileSystem(32);
  const store = await openMembers(small.path);
  const leadership = await leaderOf(self, three(), { store });
  await rm(join(small.path, "control_plane", "members.reserve"));
  small.fill();
  const fillLog = async () => {
    for (let round = 0; ; round++)
      await leadership.membership().setState(["uuid-1"], { state: "joined", reason: `round ${round}` });
  };
  await expect(fillLog()).rejects.toMatchObject({ code: FaultCode.memberStoreUnusable });
  return {
    leadership,
    makeRoom: () => small.makeRoom(),
    [Symbol.dispose]: () => small[Symbol.dispose](),
  };
}

describe.runIf(process.getuid?.() === 0)("SystemActions.stop(), while the store takes no writes", () => {
  it("systemStopMembers() refuses without force, stops nothing, and names the way to stop nevertheless", async () => {
    using full = await leaderOnFullStorage();
    const { members, calls } = hosts();
    const error: unknown = await client({ leadership: full.leadership, members })
      .systemStopMembers({})
      .catch((reason: unknown) => reason);
    expect(fromConnectError(error, { attempted: "stop", host: "node1" })).toMatchObject({
      code: FaultCode.stateNotRecorded,
      description: "the state of the engines cannot be recorded, so none was stopped",
      reason: expect.stringContaining("its file system is full") as string,
      resolution: expect.stringContaining("dmg system stop --force") as string,
    });
    expect(calls).toEqual([]);
  });

  it("systemStopMembers() by force stops the engines, says what is not recorded, and records it when there is room", async () => {
    using full = await leaderOnFullStorage();
    const { leadership } = full;
    const { members, calls } = hosts({ "kill 2": refused });
    const answer = await client({ leadership, members }).systemStopMembers({ force: true });
    expect(calls).toEqual(["kill 1", "kill 2", "kill 0"]);
    expect(outcomes(answer)).toEqual([
      [0, "stop", "ok", "MEMBER_STOPPED"],
      [1, "stop", "ok", "MEMBER_STOPPED"],
      [2, "stop", FaultCode.engineNotRunning, "MEMBER_ERRORED"],
    ]);
    for (const { note } of answer.results) expect(note).toContain("not recorded yet");
    expect(statesOf(leadership)).toEqual(["joined", "joined", "joined"]);
    full.makeRoom();
    await expect
      .poll(() => statesOf(leadership), { timeout: 60_000 })
      .toEqual(["stopped", "stopped", "errored"]);
  });
});

describe("SystemActions.stop(), while no host can lead", () => {
  const lost = new Fault({
    domain: "system",
    code: FaultCode.memberStoreReplaced,
    description: "the members are gone",
    resolution: "restore them",
  });

  function outage(fault: Fault, copy: readonly Member[]): Leadership {
    const election = {
      accessPoints: [],
      outage: fault,
      run: async (onChange: (view: LeaderView) => void) => onChange({ kind: "following", leader: undefined }),
    };
    const options = { election, self, ranksFrom: "store", log: silentLogger } as const;
    return new Leadership({ ...options, readCopy: async () => copy });
  }

  it("systemStopMembers() by force stops the engines of the members that this host saw last", async () => {
    const leadership = outage(lost, three());
    const { members, calls } = hosts({ "kill 2": dead });
    const service = client({ leadership, members });
    await expect(service.systemStopMembers({})).rejects.toThrow("the members are gone");
    const selection = { ranks: [1] };
    await expect(service.systemStopMembers({ force: true, selection })).rejects.toThrow(
      "the members are gone",
    );
    expect(calls).toEqual([]);
    const answer = await service.systemStopMembers({ force: true });
    expect(calls).toEqual(["kill 1", "kill 2", "kill 0"]);
    expect(outcomes(answer)).toEqual([
      [0, "stop", "ok", "MEMBER_STOPPED"],
      [1, "stop", "ok", "MEMBER_STOPPED"],
      [2, "stop", FaultCode.hostUnreachable, "MEMBER_UNKNOWN"],
    ]);
    expect(answer.results[0]?.note).toContain("not recorded, the system has no leader: the members are gone");
  });

  it.each([
    ["this host has seen no members", lost, []],
    [
      "another host may lead",
      new Fault({ ...lost, code: FaultCode.electionUnreachable, description: "the members are gone" }),
      three(),
    ],
  ])("systemStopMembers() by force stops nothing when %s", async (_, fault, copy) => {
    const { members, calls } = hosts();
    const service = client({ leadership: outage(fault, copy), members });
    await expect(service.systemStopMembers({ force: true })).rejects.toThrow("the members are gone");
    expect(calls).toEqual([]);
  });
});

describe("SystemActions.start()", () => {
  it("waits for the engines to join, the leader's own first", async () => {
    const stopped = three().map((member) => ({ ...member, state: "stopped" as const }));
    const leadership = await leaderOf(self, stopped);
    const { members, calls } = hosts({}, (what) => {
      const rank = Number(what.split(" ")[1]);
      const { address } = memberOf(rank, stopped[rank]);
      setTimeout(() => void leadership.membership().admit(joinOf(rank, { address }), parseRank(rank)), 20);
    });
    const answer = await client({ leadership, members }).systemStart({});
    expect(calls).toEqual(["start 0", "start 1", "start 2"]);
    expect(outcomes(answer)).toEqual([0, 1, 2].map((rank) => [rank, "start", "ok", "MEMBER_JOINED"]));
  });

  it("leaves serving and excluded engines alone", async () => {
    const leadership = await leaderOf(self, three({ state: "excluded" }));
    const { members, calls } = hosts();
    const answer = await client({ leadership, members }).systemStart({ selection: { ranks: [0, 1, 2] } });
    expect(calls).toEqual([]);
    expect(outcomes(answer)).toEqual([
      [0, "start", "ok", "MEMBER_JOINED"],
      [1, "start", FaultCode.memberExcluded, "MEMBER_EXCLUDED"],
      [2, "start", "ok", "MEMBER_JOINED"],
    ]);
  });
});

describe("SystemActions.start() of the whole system", () => {
  it.each([
    ["excluded", { state: "excluded" }, FaultCode.memberExcluded],
    ["replaced", { state: "replaced", replacedBy: parseRank(2) }, FaultCode.memberReplaced],
  ] as const)(
    "leaves out a member that is %s, and fails for it when it is named",
    async (_name, change, code) => {
      const leadership = await leaderOf(self, three(change));
      const { members, calls } = hosts();
      const service = client({ leadership, members });
      const whole = await service.systemStart({});
      expect(outcomes(whole).map(([, , outcome]) => outcome)).toEqual(["ok", "ok", "ok"]);
      expect(whole.results[1]?.note).toContain("it is left out");
      const named = await service.systemStart({ selection: { ranks: [1] } });
      expect(outcomes(named).map(([, , outcome]) => outcome)).toEqual([code]);
      expect(calls).toEqual([]);
    },
  );
});

describe("SystemActions, on a host that no longer leads,", () => {
  const lost = { code: FaultCode.leadershipLost };
  const faultOf = async (call: Promise<unknown>) => {
    const error = await call.then(
      () => new Error("no error"),
      (reason: unknown) => reason,
    );
    return fromConnectError(error, { attempted: "call", host: "10.0.0.1:10001" });
  };

  it.each(["in order", "signal is late"] as const)("stops nothing (%s)", async (how) => {
    const { leadership, expireTerm } = await expirableLeader(self, three());
    const { members, calls } = hosts({}, (what) => void (what === "prep 1" && expireTerm(how)));
    expect(await faultOf(client({ leadership, members }).systemStopMembers({}))).toMatchObject(lost);
    expect(calls.filter((what) => what.startsWith("kill"))).toEqual([]);
  });

  it.each(["in order", "signal is late"] as const)("calls no further host in a step (%s)", async (how) => {
    const { leadership, expireTerm } = await expirableLeader(self, three());
    const { members, calls } = hosts({}, () => expireTerm(how));
    const asked = client({ leadership, members }).systemStopMembers({ force: true, fanout: 1 });
    expect(await faultOf(asked)).toMatchObject(lost);
    expect(calls).toEqual(["kill 1"]);
  });

  it("does not wait for an unresponsive host", async () => {
    const { leadership, expireTerm } = await expirableLeader(self, three());
    const silent = (_: unknown, __: unknown, { signal }: { readonly signal: AbortSignal }) =>
      new Promise<void>((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        setImmediate(expireTerm, "in order");
      });
    const members = { ...hosts().members, killRank: silent };
    expect(await faultOf(client({ leadership, members }).systemExclude({}))).toMatchObject(lost);
  });

  it.each(["in order", "signal is late"] as const)("does not wait for engines to join (%s)", async (how) => {
    const stopped = three().map((member) => ({ ...member, state: "stopped" as const }));
    const { leadership, expireTerm } = await expirableLeader(self, stopped);
    const { members } = hosts({}, () => void setTimeout(expireTerm, 20, how));
    expect(await faultOf(client({ leadership, members }).systemStart({}))).toMatchObject(lost);
  });

  it("completes the erase of the storage that held its members", async () => {
    const stopped = [0, 1].map((rank) => memberOf(rank, { ...on(`10.0.0.${rank + 1}`), state: "stopped" }));
    const { leadership, expireTerm } = await expirableLeader(self, stopped, "engine");
    const { members, calls } = hosts({}, (what) => void (what === "erase 0" && expireTerm("in order")));
    const answer = await client({ leadership, members }).systemErase({});
    expect(calls).toEqual(["erase 1", "erase 0"]);
    expect(answer.results.map(({ fault }) => fault)).toEqual([undefined, undefined]);
  });

  it("ends the stream of events", async () => {
    const { leadership, expireTerm } = await expirableLeader(self, three());
    const following = (async () => {
      // The first event says that this host leads.
      for await (const _ of client({ leadership }).systemEvents({ follow: true })) expireTerm("in order");
    })();
    expect(await faultOf(following)).toMatchObject(lost);
  });
});

describe("SystemActions.exclude() and clearExclude()", () => {
  it("exclude() excludes members that cannot be reached too", async () => {
    const leadership = await leaderOf(self, three());
    const { members, calls } = hosts({ "kill 2": dead });
    const selection = { ranks: [1, 2] };
    const service = client({ leadership, members });
    const excluded = await service.systemExclude({ selection });
    expect(outcomes(excluded)).toEqual([
      [1, "exclude", "ok", "MEMBER_EXCLUDED"],
      [2, "exclude", "ok", "MEMBER_EXCLUDED"],
    ]);
    expect(excluded.results.map(({ note }) => note)).toEqual(["", "its engine was not stopped: no route"]);
    expect(calls).toEqual(["kill 1", "kill 2"]);
    expect(outcomes(await service.systemClearExclude({ selection }))).toEqual([
      [1, "clear-exclude", "ok", "MEMBER_STOPPED"],
      [2, "clear-exclude", "ok", "MEMBER_STOPPED"],
    ]);
  });

  it("clearExclude() says how the engine gets into service, or that its rank was replaced", async () => {
    const leadership = await leaderOf(self, [
      memberOf(0, on("10.0.0.1")),
      memberOf(1, { ...on("10.0.0.2"), state: "excluded" }),
      memberOf(2, { ...on("10.0.0.3"), state: "excluded", replacedBy: parseRank(0) }),
    ]);
    const { results } = await client({ leadership }).systemClearExclude({});
    expect(results.map(({ note }) => note)).toEqual([
      "",
      "it joins only once its engine runs: start it with dmg system start",
      "rank 0 has replaced it: forget it with dmg system erase",
    ]);
    expect(statesOf(leadership)).toEqual(["joined", "stopped", "replaced"]);
  });

  it("exclude() stops an engine that was not reached before when it is repeated", async () => {
    const leadership = await leaderOf(self, three({ state: "excluded" }));
    const { members, calls } = hosts();
    await client({ leadership, members }).systemExclude({ selection: { ranks: [1] } });
    expect(calls).toEqual(["kill 1"]);
  });

  it("exclude() stops an engine that was stopped and has just joined again", async () => {
    const leadership = await leaderOf(self, three({ state: "stopped" }));
    const membership = leadership.membership();
    const { members, calls } = hosts();
    const joining = membership.admit(joinOf(1, on("10.0.0.2")), parseRank(1));
    await client({ leadership, members }).systemExclude({ selection: { ranks: [1] } });
    await joining;
    expect(calls).toEqual(["kill 1"]);
  });
});

describe("SystemActions.erase()", () => {
  it("erases members that do not run, and no others", async () => {
    const leadership = await leaderOf(self, three({ state: "stopped" }));
    const { members, calls } = hosts();
    const answer = await client({ leadership, members }).systemErase({});
    expect(calls).toEqual(["erase 1"]);
    expect(outcomes(answer)).toEqual([
      [0, "erase", FaultCode.memberRunning, "MEMBER_JOINED"],
      [1, "erase", "ok", "MEMBER_UNKNOWN"],
      [2, "erase", FaultCode.memberRunning, "MEMBER_JOINED"],
    ]);
    expect(
      leadership
        .membership()
        .list()
        .map(({ rank }) => rank),
    ).toEqual([0, 2]);
  });

  it("erases a replaced rank without asking its host, which has formatted its storage", async () => {
    const leadership = await leaderOf(self, three({ state: "replaced", replacedBy: parseRank(2) }));
    const { members, calls } = hosts();
    const answer = await client({ leadership, members }).systemErase({ selection: { ranks: [1] } });
    expect(outcomes(answer)).toEqual([[1, "erase", "ok", "MEMBER_UNKNOWN"]]);
    expect(calls).toEqual([]);
  });

  it("erases a rank whose host has other storage only with --lost", async () => {
    const leadership = await leaderOf(self, three({ state: "errored" }));
    const other = {
      domain: "system",
      code: FaultCode.engineNotHere,
      description: "",
      resolution: "",
    } as const;
    const { members } = hosts({ "erase 1": new Fault(other) });
    const service = client({ leadership, members });
    const selection = { ranks: [1] };
    const refusal = await service.systemErase({ selection });
    expect(refusal.results).toMatchObject([
      {
        fault: {
          code: FaultCode.engineNotHere,
          reason: "10.0.0.2:10001 has no engine with that rank and identity",
          resolution: expect.stringContaining("repeat with --lost") as unknown,
        },
      },
    ]);
    expect(outcomes(await service.systemErase({ selection, force: true }))).toEqual([
      [1, "erase", "ok", "MEMBER_UNKNOWN"],
    ]);
  });

  it("erases members of a lost host only by force, and none whose storage refuses", async () => {
    const lost = [
      memberOf(0, on("10.0.0.1")),
      memberOf(1, { ...on("10.0.0.2"), state: "unresponsive" }),
      memberOf(2, { ...on("10.0.0.3"), state: "stopped" }),
    ];
    const leadership = await leaderOf(self, lost);
    const { members } = hosts({ "erase 1": dead, "erase 2": refused });
    const service = client({ leadership, members });
    const selection = { ranks: [1, 2] };
    expect(outcomes(await service.systemErase({ selection })).map(([, , code]) => code)).toEqual([
      FaultCode.memberRunning,
      FaultCode.engineNotRunning,
    ]);
    expect(outcomes(await service.systemErase({ selection, force: true })).map(([, , code]) => code)).toEqual(
      ["ok", FaultCode.engineNotRunning],
    );
    expect(
      leadership
        .membership()
        .list()
        .map(({ address }) => formatHostAddress(address)),
    ).toEqual(["10.0.0.1:10001", "10.0.0.3:10001"]);
  });

  it.each<["engine" | "store", readonly (readonly [number, boolean])[], readonly number[]]>([
    // The list is on the storage of rank 0: it is forgotten while there is a list.
    [
      "engine",
      [
        [3, true],
        [0, false],
      ],
      [3],
    ],
    [
      "store",
      [
        [0, true],
        [3, true],
      ],
      [0, 3],
    ],
  ])(
    "removes an engine of this host after its storage is erased (ranks from the %s)",
    async (ranksFrom, during, left) => {
      const here = [0, 3].map((rank) => memberOf(rank, { ...on("10.0.0.1"), state: "stopped" }));
      const leadership = await leaderOf(self, here, { ranksFrom });
      const known: (readonly [number, boolean])[] = [];
      const { members } = hosts({ "erase 0": refused, "erase 3": refused }, (what) => {
        const rank = Number(what.split(" ")[1]);
        known.push([rank, leadership.membership().byUuid(`uuid-${rank}`) !== undefined]);
      });
      const answer = await client({ leadership, members }).systemErase({});
      expect(answer.results.map(({ fault }) => fault?.code)).toEqual([0, 3].map(() => refused.code));
      expect(known).toEqual(during);
      expect(
        leadership
          .membership()
          .list()
          .map(({ rank }) => rank),
      ).toEqual(left);
    },
  );
});

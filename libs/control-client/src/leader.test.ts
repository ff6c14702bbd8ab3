import { once } from "node:events";
import { createServer } from "node:http2";
import type { Socket } from "node:net";
import { Fault, FaultCode } from "@daos/fault";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import { DeadPort, RawServer } from "@daos/http2/testing";
import { ctl } from "@daos/proto";
import { faultNotLeader } from "@daos/rpc";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ControlClient } from "./control-client.ts";
import { poolCreate } from "./pool-create.ts";
import { systemAction } from "./system-action.ts";
import { type SystemEvent, systemEvents } from "./system-events.ts";
import { systemMemberQuery } from "./system-member-query.ts";
import { systemQuery } from "./system-query.ts";
import { type FakeCalls, FakeServer } from "./testing/fake-server.ts";

const open: AsyncDisposable[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const server of open.splice(0)) await server[Symbol.asyncDispose]();
});

function kept<T extends AsyncDisposable>(server: T): T {
  open.push(server);
  return server;
}
const fake = async (calls: FakeCalls) => kept(await FakeServer.start(calls));
const hole = async () => kept(await RawServer.start());
const dead = async () => kept(await DeadPort.take()).host;

const members = [{ rank: 0, uuid: "a", addr: "h:1" }];
const leads: FakeCalls = { ctl: { systemMemberQuery: () => ({ members }) } };
/** A follower, and the leader that it names. */
function follower(hint: HostAddress | undefined, replicas: readonly HostAddress[] = []): FakeCalls {
  return {
    ctl: {
      systemMemberQuery: () => {
        throw faultNotLeader("here:1", hint && formatHostAddress(hint));
      },
    },
    mgmt: {
      leaderQuery: () => ({
        currentLeader: hint === undefined ? "" : formatHostAddress(hint),
        replicas: replicas.map(formatHostAddress),
      }),
    },
  };
}
const lost = new Fault({
  domain: "system",
  code: FaultCode.leadershipLost,
  description: "lost",
  resolution: "again",
});
const pool = {
  uuid: "00000000-0000-4000-8000-000000000001",
  scmBytes: 1n,
  nvmeBytes: 0n,
  ranks: [],
  svcReplicas: 1,
  user: "u@",
  group: "g@",
  acl: [],
  system: "",
};

/** The client's time stands still until the test advances it. Sockets are not affected. */
function stopTime(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
}

async function until(claim: () => boolean): Promise<void> {
  while (!claim()) await new Promise(setImmediate);
}

const HEADERS = 1;
const SETTINGS = Buffer.from("000000040000000000", "hex");
const SETTINGS_ACK = Buffer.from("000000040100000000", "hex");
const PREFACE_BYTES = 24;

/** The types of the HTTP/2 frames that a client has sent. */
function frameTypes(sent: Buffer): number[] {
  const types: number[] = [];
  for (let at = PREFACE_BYTES; at + 9 <= sent.length; at += 9 + sent.readUIntBE(at, 3))
    types.push(sent.readUInt8(at + 3));
  return types;
}

describe("ControlClient, with hosts that do not answer:", () => {
  it("ControlClient.leader() waits one second per silent host, and not its connect deadline", async () => {
    const holes = [await hole(), await hole()] as const;
    const leader = await fake(leads);
    const hosts = [...holes.map(({ host }) => host), leader.host];
    stopTime();
    const query = systemMemberQuery(new ControlClient({ hosts }));
    await until(() => holes[0].connections === 1);
    expect(holes[1].connections).toBe(0);
    await vi.advanceTimersByTimeAsync(1_000);
    await until(() => holes[1].connections === 1);
    expect(leader.calls).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await query).toHaveLength(1);
  });

  it("ControlClient.leader() does not wait for hosts that refuse, reset, or send garbage", async () => {
    const hosts = [
      await dead(),
      kept(await RawServer.start((socket) => socket.resetAndDestroy())).host,
      kept(await RawServer.start((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))).host,
      (await fake(leads)).host,
    ];
    stopTime();
    expect(await systemMemberQuery(new ControlClient({ hosts }))).toHaveLength(1);
  });

  it("ControlClient.leader() sends nothing to a late host after another host has the request", async () => {
    const calls = { mgmt: { poolCreate: () => ({ svcreps: [0] }) } };
    const late = await fake(calls);
    const called = Promise.withResolvers<Socket>();
    let received = Buffer.alloc(0);
    const slow = kept(
      await RawServer.start((socket) => {
        called.resolve(socket.on("data", (data) => (received = Buffer.concat([received, data]))));
      }),
    );
    const leader = await fake({
      mgmt: {
        poolCreate: async () => {
          // The slow host now completes the HTTP/2 handshake.
          (await called.promise).write(SETTINGS);
          await until(() => received.includes(SETTINGS_ACK));
          return { svcreps: [1] };
        },
      },
    });
    const client = new ControlClient({ hosts: [slow.host, leader.host, late.host] });
    stopTime();
    const created = poolCreate(client, pool);
    await called.promise;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await created).toMatchObject({ svcReplicas: [1] });
    expect([leader.calls, late.calls]).toEqual([["MgmtSvc/PoolCreate"], []]);
    expect(frameTypes(received)).not.toContain(HEADERS);
  });

  it("ControlClient.leader() names the silent hosts when the deadline passes", async () => {
    const silent = await hole();
    const client = new ControlClient({ hosts: [silent.host], timeoutMs: 300 });
    await expect(systemMemberQuery(client)).rejects.toMatchObject({
      code: FaultCode.timedOut,
      description: `cannot query system members on ${formatHostAddress(silent.host)}`,
    });
  });

  it("ControlClient.leader() ends on Ctrl-C while hosts are silent", async () => {
    const abort = new AbortController();
    const silent = await hole();
    const query = systemMemberQuery(new ControlClient({ hosts: [silent.host], signal: abort.signal }));
    setTimeout(() => abort.abort(), 50);
    await expect(query).rejects.toMatchObject({ code: FaultCode.cancelled });
  });
});

describe("ControlClient, in search of the leader:", () => {
  it("ControlClient.leader() finds the leader through a host that is no access point and knows the replicas only", async () => {
    const leader = await fake(leads);
    const here = await fake(follower(undefined, [await dead(), leader.host]));
    expect(await systemMemberQuery(new ControlClient({ hosts: [here.host] }))).toHaveLength(1);
  });

  it("ControlClient.leader() finds the leader when the hint names a dead host", async () => {
    const leader = await fake(leads);
    const silent = await hole();
    const here = await fake(follower(silent.host, [silent.host, leader.host]));
    stopTime();
    const query = systemMemberQuery(new ControlClient({ hosts: [here.host] }));
    await until(() => silent.connections === 1 && here.calls.includes("MgmtSvc/LeaderQuery"));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await query).toHaveLength(1);
  });

  it("ControlClient.leader() finds the leader after a running election", async () => {
    const leader = await fake(leads);
    let asked = 0;
    const here = await fake({
      ctl: {
        systemMemberQuery: () => {
          throw faultNotLeader("here:1", ++asked < 4 ? undefined : formatHostAddress(leader.host));
        },
      },
      mgmt: { leaderQuery: () => ({}) },
    });
    const client = new ControlClient({ hosts: [here.host], leaderWaitMs: 60_000, timeoutMs: 60_000 });
    expect(await systemMemberQuery(client)).toHaveLength(1);
    expect(asked).toBe(4);
  });

  it("ControlClient.leader() fails after a while when there is no leader", async () => {
    const here = await fake(follower(undefined));
    const client = new ControlClient({ hosts: [here.host], leaderWaitMs: 600 });
    await expect(systemMemberQuery(client)).rejects.toMatchObject({
      code: FaultCode.notLeader,
      reason: "no leader is known at the moment",
    });
    // The pauses grow. In the default ten seconds it asks several times.
    const asked = here.calls.filter((name) => name === "MgmtCtl/SystemMemberQuery");
    expect(asked.length).toBeLessThanOrEqual(3);
  });

  it("ControlClient.leader() fails before the deadline also when the last host asked does not answer by then", async () => {
    let asked = 0;
    const here = await fake({
      ctl: {
        systemMemberQuery: () => {
          if (++asked < 3) throw faultNotLeader("here:1", undefined);
          return new Promise(() => {});
        },
      },
      mgmt: { leaderQuery: () => ({}) },
    });
    const client = new ControlClient({ hosts: [here.host], timeoutMs: 10_000 });
    await expect(systemMemberQuery(client)).rejects.toMatchObject({ code: FaultCode.notLeader });
    expect(asked).toBe(3);
  });
});

describe("ControlClient, when the leader is lost while it works:", () => {
  it("ControlClient.leader() asks the next leader when a repeatable request fails", async () => {
    const next = await fake({ ctl: { systemQuery: () => ({ members }) } });
    const gone = await fake({
      ctl: {
        systemQuery: () => {
          throw lost;
        },
      },
    });
    const client = new ControlClient({ hosts: [gone.host, next.host] });
    expect((await systemQuery(client)).members).toHaveLength(1);
    expect(gone.calls).toEqual(["MgmtCtl/SystemQuery"]);
  });

  it("ControlClient.leader() asks the next leader when its connection breaks", async () => {
    const next = await fake({ ctl: { systemQuery: () => ({ members }) } });
    const http2 = createServer();
    http2.on("stream", (stream) => stream.session?.destroy());
    http2.listen(0, "127.0.0.1");
    await once(http2, "listening");
    const { port } = http2.address() as { port: number };
    const client = new ControlClient({ hosts: [{ host: "127.0.0.1", port }, next.host] });
    expect((await systemQuery(client)).members).toHaveLength(1);
    http2.close();
  });

  it("ControlClient.leader() does not repeat a request that may have been done", async () => {
    const next = await fake({ mgmt: { poolCreate: () => ({}) }, ctl: { systemErase: () => ({}) } });
    const gone = await fake({
      mgmt: {
        poolCreate: () => {
          throw lost;
        },
      },
      ctl: {
        systemErase: () => {
          throw lost;
        },
      },
    });
    const client = new ControlClient({ hosts: [gone.host, next.host] });
    await expect(poolCreate(client, pool)).rejects.toMatchObject({ code: FaultCode.leadershipLost });
    const erase = systemAction(client, "erase", { selection: {}, force: false });
    await expect(erase).rejects.toMatchObject({ code: FaultCode.leadershipLost });
    expect(next.calls).toEqual([]);
  });
});

describe("system actions", () => {
  it("systemAction() sends the selection, the fan-out and the deadline per host", async () => {
    const seen: unknown[] = [];
    const server = await fake({
      ctl: {
        systemStopMembers: ({ selection, force, fanout, timeoutMs }) => {
          seen.push({ ranks: selection?.ranks, hosts: selection?.hosts, force, fanout, timeoutMs });
          return {
            results: [
              { rank: 3, addr: "h:2", action: "stop", state: ctl.MemberState.MEMBER_STOPPED },
              {
                rank: 1,
                addr: "h:1",
                action: "prep shutdown",
                state: ctl.MemberState.MEMBER_UNRESPONSIVE,
                fault: {
                  domain: "system",
                  code: 813,
                  description: "stop rank 1",
                  reason: "silent",
                  resolution: "look",
                },
              },
            ],
            missingRanks: [9],
          };
        },
      },
    });
    const client = new ControlClient({ hosts: [server.host], fanout: 7, timeoutMs: 5_000 });
    const selection = { ranks: [1, 3, 9], hosts: ["h:1"] };
    expect(await systemAction(client, "stop", { selection, force: true })).toMatchObject({
      kind: "done",
      outcomes: [
        { rank: 1, state: "unresponsive", fault: { code: 813, reason: "silent" } },
        { rank: 3, address: "h:2", action: "stop", state: "stopped", fault: undefined },
      ],
      missing: { ranks: [9], hosts: [] },
    });
    expect(seen).toEqual([{ ranks: [1, 3, 9], hosts: ["h:1"], force: true, fanout: 7, timeoutMs: 5_000 }]);
  });

  it("systemAction() never stops more than was asked for on a server of release 0.8.0", async () => {
    const old = await fake({ ctl: { systemStop: () => ({ results: [{ id: "h:1/0", action: "stop" }] }) } });
    const client = new ControlClient({ hosts: [old.host] });
    const all = { selection: {}, force: false };
    for (const part of [
      { selection: { ranks: [0] }, force: false },
      { selection: { hosts: ["h:1"] }, force: false },
      { selection: {}, force: true },
    ]) {
      await expect(systemAction(client, "stop", part)).rejects.toMatchObject({
        code: FaultCode.requestUnsupported,
      });
    }
    for (const name of ["start", "exclude", "clear-exclude", "erase"] as const) {
      await expect(systemAction(client, name, all)).rejects.toMatchObject({
        code: FaultCode.requestUnsupported,
        reason: expect.stringContaining("nothing has been done"),
      });
    }
    expect(old.calls).not.toContain("MgmtCtl/SystemStop");
    expect(await systemAction(client, "stop", all)).toEqual({
      kind: "old-stop",
      actions: [{ id: "h:1/0", action: "stop", ok: true, message: "" }],
    });
  });

  it("systemQuery() asks a server of release 0.8.0 for all members, and refuses a selection", async () => {
    const old = await fake(leads);
    const client = new ControlClient({ hosts: [old.host] });
    expect(await systemQuery(client)).toMatchObject({
      members: [{ rank: 0, state: "unknown", since: undefined }],
    });
    await expect(systemQuery(client, { ranks: [0] })).rejects.toMatchObject({
      code: FaultCode.requestUnsupported,
    });
  });
});

describe("events", () => {
  const event = (number: number, time = number) => ({
    number: BigInt(number),
    time: BigInt(time),
    kind: "engine_died",
    severity: "error",
    message: `event ${number}`,
  });

  it("systemEvents() ends without follow", async () => {
    const server = await fake({
      ctl: {
        async *systemEvents({ follow }) {
          expect(follow).toBe(false);
          yield { ...event(1), rank: 0 };
          yield event(2);
        },
      },
    });
    const seen: SystemEvent[] = [];
    const client = new ControlClient({ hosts: [server.host] });
    await systemEvents(client, { follow: false, onEvent: (one) => void seen.push(one) });
    expect(seen.map(({ number, rank }) => [number, rank])).toEqual([
      [1, 0],
      [2, undefined],
    ]);
  });

  it("systemEvents() continues with the next leader, and reports each event once, until Ctrl-C", async () => {
    const abort = new AbortController();
    const closed = Promise.withResolvers<void>();
    const second = await fake({
      ctl: {
        async *systemEvents(_, { signal }) {
          // A new leader counts from 1 again. Its last event is known already.
          yield event(1, 500);
          yield event(2, 2);
          yield event(3, 600);
          signal.addEventListener("abort", () => closed.resolve(), { once: true });
          await closed.promise;
        },
      },
    });
    let turns = 0;
    const first = await fake({
      ctl: {
        async *systemEvents() {
          if (++turns > 1) throw faultNotLeader("first:1", formatHostAddress(second.host));
          yield event(1);
          yield event(2);
          throw lost;
        },
      },
      mgmt: { leaderQuery: () => ({}) },
    });
    const seen: string[] = [];
    let losses = 0;
    const client = new ControlClient({ hosts: [first.host], signal: abort.signal });
    await systemEvents(client, {
      follow: true,
      onEvent: ({ message, time }) => {
        seen.push(`${message} at ${time.getTime()}`);
        if (seen.length === 4) abort.abort();
      },
      onLost: () => losses++,
    });
    await closed.promise;
    expect(seen).toEqual(["event 1 at 1", "event 2 at 2", "event 1 at 500", "event 3 at 600"]);
    expect(losses).toBe(1);
  });

  it("systemEvents() fails when no host answers for long, and at once when a server has no events", async () => {
    const onEvent = () => {};
    const refused = new ControlClient({ hosts: [await dead()] });
    await expect(
      systemEvents(refused, { follow: true, onEvent, searchTimeoutMs: 300 }),
    ).rejects.toMatchObject({
      code: FaultCode.connectionRefused,
    });
    const old = new ControlClient({ hosts: [(await fake({})).host] });
    await expect(systemEvents(old, { follow: true, onEvent })).rejects.toMatchObject({
      code: FaultCode.requestUnsupported,
    });
  });
});

describe("a leader that cannot answer yet", () => {
  it("ControlClient.leader() asks again while a new leader reads its members, also for requests that must not be done twice", async () => {
    let asked = 0;
    const starting = await fake({
      mgmt: {
        poolCreate: () => {
          if (++asked > 2) return { svcreps: [0] };
          throw new Fault({
            domain: "system",
            code: FaultCode.systemNotReady,
            description: "the members are being read",
            resolution: "wait",
          });
        },
      },
    });
    const creating = poolCreate(new ControlClient({ hosts: [starting.host] }), pool);
    expect(await creating).toMatchObject({ svcReplicas: [0] });
    expect(asked).toBe(3);
  });
});

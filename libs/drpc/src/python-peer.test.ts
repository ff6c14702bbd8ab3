import { readdirSync, readlinkSync } from "node:fs";
import { dirname } from "node:path";
import { FaultCode } from "@daos/fault";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DrpcClient } from "./drpc-client.ts";
import { drpcMethods } from "./drpc-methods.ts";
import { handle } from "./drpc-module.ts";
import { MAX_PACKET } from "./faults.ts";
import { MAX_QUEUED } from "./packet-socket.ts";
import { hasPython, type PythonPeer } from "./testing/python-peer.ts";
import { SocketFixture } from "./testing/socket-fixture.ts";

const fixture = new SocketFixture();
beforeEach(() => fixture.open());
afterEach(() => {
  vi.useRealTimers();
  return fixture.close();
});

const echoRank = handle(drpcMethods.setRank, ({ rank }) => ({ status: 0 - rank }));
const setRank = (sequence: number, rank: number) => ({
  module: 2,
  method: 202,
  sequence,
  body: rankBody(rank),
});
/** A SetRankReq or, with a small positive status, a DaosResp: field 1 as a varint. */
const rankBody = (rank: number) => Buffer.from([0x08, rank]).toString("hex");

async function turn(): Promise<void> {
  await new Promise(setImmediate);
}

// The peer in Python needs python3.
describe.skipIf(!hasPython)("a client in Python", () => {
  async function connected(): Promise<PythonPeer> {
    const peer = fixture.python();
    expect(await peer.do("connect", { path: fixture.path })).toEqual({});
    return peer;
  }

  it("DrpcServer answers it with its sequence, and knows its credentials", async () => {
    const pids: number[] = [];
    await fixture.serve([
      handle(drpcMethods.setRank, ({ rank }, { peer }) => {
        pids.push(peer.pid);
        return { status: rank };
      }),
    ]);
    const peer = await connected();
    for (const sequence of [0, 1, 2 ** 40]) {
      await peer.do("call", setRank(sequence, 5));
      const answer = await peer.do("recv");
      expect(answer).toEqual({
        length: expect.any(Number),
        3: "0805",
        ...(sequence === 0 ? {} : { 1: sequence }),
      });
    }
    expect(new Set(pids)).toEqual(new Set([(await peer.do("pid")).pid]));
  });

  it("DrpcServer continues after 20 kB, malformed packets and unknown numbers", async () => {
    await fixture.serve([echoRank]);
    const peer = await connected();
    const ask = async (command: string, args: Record<string, unknown>) => {
      await peer.do(command, args);
      const { length: _, ...answer } = await peer.do("recv");
      return answer;
    };
    const undecodable = { 1: -1, 2: 5 };
    expect(await ask("send", { hex: "00".repeat(20_000) })).toEqual(undecodable);
    expect(await ask("call", { ...setRank(3, 1), body: "0a".repeat(20_000) })).toEqual(undecodable);
    expect(await ask("send", { hex: "0802100a22ff" })).toEqual(undecodable);
    expect(await ask("call", { ...setRank(4, 1), module: 7 })).toEqual({ 1: 4, 2: 3 });
    expect(await ask("call", { ...setRank(5, 1), method: 7 })).toEqual({ 1: 5, 2: 4 });
    expect(await ask("call", { ...setRank(6, 1), body: "08" })).toEqual({ 1: 6, 2: 6 });
    expect(await ask("call", setRank(7, 0))).toEqual({ 1: 7 });
  });

  it("DrpcServer aborts the handlers of a killed client, and serves the others", async () => {
    let onAbort: (reason: unknown) => void = () => {};
    const aborted = new Promise((resolve) => {
      onAbort = resolve;
    });
    let started = () => {};
    const running = new Promise<void>((resolve) => {
      started = resolve;
    });
    const server = await fixture.serve([
      echoRank,
      handle(drpcMethods.startMs, async (_, { signal }) => {
        signal.addEventListener("abort", () => onAbort(signal.reason));
        started();
        await aborted;
        return {};
      }),
    ]);
    const peer = await connected();
    const client = await fixture.connect();
    await peer.do("call", { module: 2, method: 204, sequence: 1 });
    await running;
    await peer.kill();
    expect(await aborted).toBeInstanceOf(Error);
    expect((await client.call(drpcMethods.setRank, { rank: 2 })).status).toBe(-2);
    expect(server.sessions).toBe(1);
  });

  it("DrpcServer does not read calls from a client that does not read answers", async () => {
    let running = 0;
    let most = 0;
    const release = Promise.withResolvers<void>();
    await fixture.serve(
      [
        handle(drpcMethods.setRank, async ({ rank }) => {
          most = Math.max(most, ++running);
          await release.promise;
          await turn();
          running--;
          return { status: rank };
        }),
      ],
      { maxCallsPerSession: 4 },
    );
    const peer = await connected();
    const calls = Array.from({ length: 100 }, (_, i) => peer.do("call", setRank(i + 1, 1)));
    // These are sent, and the first of them are read.
    await Promise.all(calls.slice(0, 8));
    await expect.poll(() => running).toBe(4);
    for (let turns = 0; turns < 10; turns++) await turn();
    expect(running).toBe(4);
    release.resolve();
    const sequences: unknown[] = [];
    for (let i = 1; i <= 100; i++) sequences.push((await peer.do("recv"))[1]);
    expect(sequences.sort((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 1),
    );
    expect(most).toBe(4);
  });
});

describe.skipIf(!hasPython)("a server in Python", () => {
  async function connected(): Promise<{ peer: PythonPeer; client: DrpcClient }> {
    const peer = fixture.python();
    expect(await peer.do("listen", { path: fixture.path })).toEqual({});
    const client = await fixture.connect();
    await peer.do("accept");
    return { peer, client };
  }

  it("DrpcClient counts sequences from 1, and accepts answers in any order", async () => {
    const { peer, client } = await connected();
    const first = client.call(drpcMethods.setRank, { rank: 1 });
    const second = client.call(drpcMethods.startMs, undefined);
    expect(await peer.do("recv")).toEqual({ length: 11, 1: 2, 2: 202, 3: 1, 4: "0801" });
    expect(await peer.do("recv")).toEqual({ length: 7, 1: 2, 2: 204, 3: 2 });
    await peer.do("respond", { sequence: 2, body: "0807" });
    expect((await second).status).toBe(7);
    await peer.do("respond", { sequence: 99 });
    await peer.do("respond", { sequence: 1 });
    expect((await first).status).toBe(0);
  });

  it("DrpcClient reports each status, invalid bodies and answers that are too long", async () => {
    const { peer, client } = await connected();
    const at = `dRPC setRank on ${fixture.path}`;
    const answered = async (response: Record<string, unknown>) => {
      const call = client.call(drpcMethods.setRank, { rank: 1 }).catch((error: unknown) => error);
      const { 3: sequence } = await peer.do("recv");
      await peer.do("respond", { sequence, ...response });
      return call;
    };
    expect(await answered({ status: 2 })).toMatchObject({ description: `${at}: the peer answered FAILURE` });
    expect(await answered({ status: 7 })).toMatchObject({ code: FaultCode.drpcCallFailed });
    expect(await answered({ status: 77 })).toMatchObject({
      description: `${at}: the peer answered status 77`,
    });
    expect(await answered({ body: "08" })).toMatchObject({ code: FaultCode.drpcMalformed });
    expect(await answered({ body: "00".repeat(20_000) })).toMatchObject({
      code: FaultCode.drpcMessageTooLong,
      description: `answer to ${at}: the message has 20006 bytes, a dRPC packet at most ${MAX_PACKET}`,
    });
    expect(await answered({ sequence: -1, status: 5 })).toMatchObject({
      description: `${at}: the peer answered FAILED_UNMARSHAL_CALL`,
    });
    expect(await answered({ body: "0801" })).toMatchObject({ status: 1 });
  });

  it("DrpcClient disconnects when an answer is no response", async () => {
    const { peer, client } = await connected();
    const calls = Promise.allSettled([1, 2].map((rank) => client.call(drpcMethods.setRank, { rank })));
    await peer.do("send", { hex: "ffff" });
    const malformed = { status: "rejected", reason: { code: FaultCode.drpcMalformed } };
    expect(await calls).toMatchObject([malformed, malformed]);
    await client.closed;
    await expect(client.call(drpcMethods.setRank, { rank: 1 })).rejects.toThrow("no dRPC response");
  });

  it("DrpcClient fails its calls when the server is killed, also after a partial answer", async () => {
    const { peer, client } = await connected();
    const answered = client.call(drpcMethods.setRank, { rank: 1 });
    const lost = client.call(drpcMethods.setRank, { rank: 2 }).catch((error: unknown) => error);
    await peer.do("recv");
    await peer.do("respond", { sequence: 1, body: "0803" });
    await peer.kill();
    // The second call was never read. The kernel reports ECONNRESET before the answer to the first call.
    expect((await answered).status).toBe(3);
    expect(await lost).toMatchObject({ code: FaultCode.drpcConnectionLost });
    await client.closed;
    await expect(DrpcClient.connect(fixture.path)).rejects.toMatchObject({ code: FaultCode.drpcConnect });
  });

  it("DrpcClient queues some calls, refuses more, and completes the queued calls when the server reads again", async () => {
    const { peer, client } = await connected();
    const uuid = "x".repeat(16_000);
    const waiting: Promise<unknown>[] = [];
    let refused: unknown;
    for (let i = 0; refused === undefined && i < MAX_QUEUED + 100; i++) {
      const call = client.call(drpcMethods.poolGetAcl, { uuid }).catch((error: unknown) => {
        refused = error;
      });
      await turn();
      if (refused === undefined) waiting.push(call);
    }
    expect(refused).toMatchObject({ code: FaultCode.drpcPeerStalled });
    expect(waiting.length).toBeGreaterThan(MAX_QUEUED);
    for (const _ of waiting) {
      const { 3: sequence } = await peer.do("recv");
      await peer.do("respond", { sequence });
    }
    await Promise.all(waiting);
  });

  it("DrpcClient does not send an aborted call later", async () => {
    const { peer, client } = await connected();
    const uuid = "x".repeat(16_000);
    const stop = new AbortController();
    const calls = Promise.allSettled(
      Array.from({ length: 50 }, () => client.call(drpcMethods.poolGetAcl, { uuid }, stop)),
    );
    stop.abort("enough");
    expect(new Set((await calls).map(({ status }) => status))).toEqual(new Set(["rejected"]));
    const last = client.call(drpcMethods.setRank, { rank: 1 });
    let read = 0;
    for (;;) {
      const { 2: method, 3: sequence } = await peer.do("recv");
      read++;
      if (method === 202) {
        await peer.do("respond", { sequence, body: "0809" });
        break;
      }
    }
    expect((await last).status).toBe(9);
    expect(read).toBeLessThan(50);
  });

  it("DrpcClient.connect() waits while the backlog is full, or until its signal aborts", async () => {
    const peer = fixture.python();
    await peer.do("listen", { path: fixture.path, backlog: 0 });
    await fixture.connect();
    const stop = new AbortController();
    const given = DrpcClient.connect(fixture.path, stop);
    stop.abort("enough");
    await expect(given).rejects.toBe("enough");
    const patient = fixture.connect();
    await peer.do("accept");
    const client = await patient;
    expect(client.isOpen).toBe(true);
  });
});

describe.skipIf(!hasPython)("a path that Python has bound", () => {
  it.each([{ stream: true }, { stream: false }])(
    "DrpcServer leaves the socket alone while it is alive (%j)",
    async ({ stream }) => {
      const peer = fixture.python();
      await peer.do("listen", { path: fixture.path, stream });
      await expect(fixture.serve([])).rejects.toMatchObject({ code: FaultCode.drpcSocketBusy });
      await peer.kill();
      await fixture.serve([echoRank]);
    },
  );

  it("DrpcServer waits when another server is starting at the path", async () => {
    const peer = fixture.python();
    await peer.do("lock", { path: dirname(fixture.path) });
    // The wait is limited, and ends only after the other server has released the lock.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    let listens = false;
    const listening = fixture.serve([echoRank]).then(() => {
      listens = true;
    });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(listens).toBe(false);
    await peer.do("unlock");
    await vi.advanceTimersByTimeAsync(100);
    await listening;
  });
});

describe.skipIf(!hasPython)("descriptors", () => {
  /** This process's descriptors that may be ours: sockets, and the directory that listeners lock. */
  const open = () =>
    readdirSync("/proc/self/fd").filter((fd) => {
      try {
        const target = readlinkSync(`/proc/self/fd/${fd}`);
        return target.startsWith("socket:") || target.startsWith(fixture.directory);
      } catch {
        return false;
      }
    }).length;

  it("dRPC leaks no descriptors when connections fail", async () => {
    const peer = fixture.python();
    await peer.do("pid");
    const before = open();
    for (let i = 0; i < 20; i++) {
      await expect(DrpcClient.connect(`${fixture.path}-missing`)).rejects.toThrow();
      const server = await fixture.serve([echoRank]);
      await expect(fixture.serve([])).rejects.toThrow();
      await peer.do("connect", { path: fixture.path });
      await peer.do("send", { hex: "ff" });
      const client = await fixture.connect();
      await client.call(drpcMethods.setRank, { rank: 1 });
      if (i % 2 === 0) client.close();
      await server.close();
      await client.closed;
    }
    await expect(fixture.serve([], { path: `${fixture.directory}/missing/x.sock` })).rejects.toThrow();
    await expect(fixture.serve([], { path: fixture.directory })).rejects.toThrow();
    await expect.poll(open).toBe(before);
  });
});

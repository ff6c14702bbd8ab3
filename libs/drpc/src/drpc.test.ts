import { spawnSync } from "node:child_process";
import { rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FaultCode } from "@daos/fault";
import { createLogger, type LogRecord, silentLogger } from "@daos/log";
import { drpc } from "@daos/proto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DrpcClient } from "./drpc-client.ts";
import { drpcMethods } from "./drpc-methods.ts";
import { handle } from "./drpc-module.ts";
import { DrpcServer } from "./drpc-server.ts";
import { decodeResponse, encodeCall } from "./envelope.ts";
import { MAX_PACKET } from "./faults.ts";
import { PacketListener } from "./packet-listener.ts";
import { removeDeadSockets } from "./remove-dead-sockets.ts";
import { SocketFixture } from "./testing/socket-fixture.ts";

const FEW_DESCRIPTORS = fileURLToPath(new URL("testing/few-descriptors.ts", import.meta.url));
const LEAVE_SOCKET = fileURLToPath(new URL("testing/leave-socket.ts", import.meta.url));

const fixture = new SocketFixture();
beforeEach(() => fixture.open());
afterEach(() => fixture.close());

const NOTHING = new Uint8Array(0);
const echoRank = handle(drpcMethods.setRank, ({ rank }) => ({ status: 0 - rank }));

describe("a call", () => {
  it("DrpcClient.call() reaches the handler with the peer's credentials, and returns its answer", async () => {
    const peers: unknown[] = [];
    await fixture.serve([
      handle(drpcMethods.setRank, async ({ rank }, { peer }) => {
        peers.push(peer);
        return { status: -rank };
      }),
    ]);
    const client = await fixture.connect();
    expect((await client.call(drpcMethods.setRank, { rank: 7 })).status).toBe(-7);
    const self = { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() };
    expect(peers).toEqual([self]);
    expect(client.peer).toEqual(self);
  });

  it("DrpcClient.call() returns an answer with all defaults when the body is empty", async () => {
    await fixture.serve([handle(drpcMethods.startMs, () => ({}))]);
    const client = await fixture.connect();
    expect((await client.call(drpcMethods.startMs, undefined)).status).toBe(0);
  });

  it("DrpcClient.call() returns while other calls on the connection are pending, and after them", async () => {
    const release: (() => void)[] = [];
    await fixture.serve([
      handle(drpcMethods.setRank, async ({ rank }) => {
        if (rank === 1) await new Promise<void>((resolve) => release.push(resolve));
        return { status: rank };
      }),
    ]);
    const client = await fixture.connect();
    const slow = client.call(drpcMethods.setRank, { rank: 1 });
    expect((await client.call(drpcMethods.setRank, { rank: 2 })).status).toBe(2);
    release[0]?.();
    expect((await slow).status).toBe(1);
  });

  it("DrpcClient.call() rejects with the signal's reason, and the connection stays open", async () => {
    const gone: Promise<void>[] = [];
    await fixture.serve([
      echoRank,
      handle(drpcMethods.startMs, async (_, { signal }) => {
        const wait = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        gone.push(wait);
        await wait;
        return {};
      }),
    ]);
    const client = await fixture.connect();
    const stop = new AbortController();
    const call = client.call(drpcMethods.startMs, undefined, stop);
    await client.call(drpcMethods.setRank, { rank: 1 });
    stop.abort("enough");
    await expect(call).rejects.toBe("enough");
    expect((await client.call(drpcMethods.setRank, { rank: 3 })).status).toBe(-3);
    client.close();
    await gone[0];
  });

  it("DrpcClient.call() names method and socket when it fails", async () => {
    await fixture.serve([
      handle(drpcMethods.setRank, () => {
        throw new Error("no");
      }),
      handle(drpcMethods.listPools, () => ({ pools: [{ uuid: "x".repeat(MAX_PACKET) }] })),
    ]);
    const client = await fixture.connect();
    await expect(client.call(drpcMethods.setRank, { rank: 1 })).rejects.toMatchObject({
      code: FaultCode.drpcCallFailed,
      description: `dRPC setRank on ${fixture.path}: the peer answered FAILURE`,
    });
    await expect(client.call(drpcMethods.listPools, {})).rejects.toThrow("FAILED_MARSHAL");
    await expect(client.call(drpcMethods.startMs, undefined)).rejects.toThrow("UNKNOWN_METHOD");
    await expect(client.call(drpcMethods.notifyReady, {})).rejects.toThrow("UNKNOWN_MODULE");
  });

  it("DrpcClient.call() refuses a message that is too long for a packet", async () => {
    await fixture.serve([handle(drpcMethods.poolGetAcl, ({ uuid }) => ({ ACL: [`${uuid.length}`] }))]);
    const client = await fixture.connect();
    await expect(client.call(drpcMethods.poolGetAcl, { uuid: "x".repeat(20_000) })).rejects.toMatchObject({
      code: FaultCode.drpcMessageTooLong,
      description: `dRPC poolGetAcl on ${fixture.path}: the message has 20015 bytes, a dRPC packet at most 16384`,
    });
    const longest = MAX_PACKET - 15;
    expect((await client.call(drpcMethods.poolGetAcl, { uuid: "x".repeat(longest) })).ACL).toEqual([
      `${longest}`,
    ]);
  });

  it("DrpcClient.call() fails when the connection is lost, and so does every later call", async () => {
    const server = await fixture.serve([handle(drpcMethods.setRank, () => new Promise(() => {}))]);
    const client = await fixture.connect();
    const calls = Promise.allSettled([1, 2, 3].map((rank) => client.call(drpcMethods.setRank, { rank })));
    await server.close();
    const lost = { status: "rejected", reason: { code: FaultCode.drpcConnectionLost } };
    expect(await calls).toMatchObject([lost, lost, lost]);
    await client.closed;
    expect(client.isOpen).toBe(false);
    await expect(client.call(drpcMethods.setRank, { rank: 1 })).rejects.toThrow(
      `dRPC setRank on ${fixture.path}`,
    );
  });
});

describe("DrpcServer", () => {
  const ask = async (packet: Uint8Array) => {
    const peer = await fixture.rawPeer();
    peer.send(packet);
    return Buffer.from((await peer.next()) ?? []).toString("hex");
  };

  it.each(["ff", "0a", "2205010203", "00"])(
    "DrpcServer answers %s, which is no call, with sequence -1 and FAILED_UNMARSHAL_CALL",
    async (garbage) => {
      await fixture.serve([echoRank]);
      expect(await ask(Buffer.from(garbage, "hex"))).toBe("08ffffffffffffffffff011005");
    },
  );

  it("DrpcServer answers an empty packet as a call with all defaults", async () => {
    await fixture.serve([echoRank]);
    expect(await ask(new Uint8Array(0))).toBe("1003");
  });

  it("DrpcServer answers an invalid body with FAILED_UNMARSHAL_PAYLOAD", async () => {
    await fixture.serve([echoRank]);
    expect(await ask(encodeCall(2, 202, 9n, Buffer.from("08", "hex")))).toBe("08091006");
  });

  it("DrpcServer answers with the sequence of the call", async () => {
    await fixture.serve([echoRank]);
    for (const sequence of [0n, 1n, -5n, 2n ** 62n]) {
      const answer = decodeResponse(Buffer.from(await ask(encodeCall(9, 1, sequence, NOTHING)), "hex"));
      expect(answer).toMatchObject({ sequence, status: drpc.Status.UNKNOWN_MODULE });
    }
  });

  it("DrpcServer limits its peers, and accepts new ones when others have disconnected", async () => {
    const server = await fixture.serve([echoRank], { maxSessions: 2 });
    const [first, second] = [await fixture.connect(), await fixture.connect()];
    await first.call(drpcMethods.setRank, { rank: 1 });
    await second.call(drpcMethods.setRank, { rank: 1 });
    const third = await fixture.rawPeer();
    expect(await third.next()).toBeUndefined();
    first.close();
    while (server.sessions === 2) await new Promise(setImmediate);
    expect((await (await fixture.connect()).call(drpcMethods.setRank, { rank: 5 })).status).toBe(-5);
  });

  it("DrpcServer logs a few lines a minute of what peers do wrong, however many connections they make", async () => {
    const records: LogRecord[] = [];
    const log = createLogger((record) => records.push(record), { level: "INFO" });
    const server = await fixture.serve([echoRank], { log, maxSessions: 1 });
    for (let connection = 0; connection < 20; connection++) {
      const peer = await fixture.rawPeer();
      for (let call = 0; call < 20; call++) {
        peer.send(call % 2 === 0 ? Uint8Array.of(255) : encodeCall(9, 1, 1n, NOTHING));
        await peer.next();
      }
      expect(await (await fixture.rawPeer()).next()).toBeUndefined();
      peer.socket.close();
      while (server.sessions > 0) await new Promise(setImmediate);
    }
    const lines = Object.groupBy(records, ({ message }) => message);
    expect(Object.entries(lines).map(([message, all]) => [message, all?.length])).toEqual([
      ["a call that cannot be decoded", 10],
      ["a call to an unknown module", 10],
      ["too many dRPC peers: more are turned away", 10],
    ]);
  });

  it("DrpcServer accepts connections again after descriptors have run out", () => {
    const line = 'ulimit -n 64 && exec "$0" --conditions=@daos/source "$1" "$2"';
    const run = spawnSync("sh", ["-c", line, process.execPath, FEW_DESCRIPTORS, fixture.path], {
      encoding: "utf8",
      timeout: 50_000,
    });
    const { failure, errors, echoes } = JSON.parse(run.stdout);
    expect(failure).toContain("too many open files");
    expect(errors[0]).toContain("accept: too many open files");
    expect(echoes).toBeGreaterThan(0);
  });

  it("DrpcServer serves 200 concurrent peers with many calls each", async () => {
    const server = await fixture.serve([echoRank], { peerLimits: { sessions: 200 } });
    const clients = await Promise.all(Array.from({ length: 200 }, () => fixture.connect()));
    const calls = clients.flatMap((client, n) =>
      Array.from({ length: 10 }, async (_, i) => {
        const rank = n * 10 + i;
        expect((await client.call(drpcMethods.setRank, { rank })).status).toBe(0 - rank);
      }),
    );
    await Promise.all(calls);
    expect(server.sessions).toBe(200);
  });
});

describe("the socket file", () => {
  it("DrpcServer.listen() replaces the socket of a dead server, and close() removes its own", async () => {
    const dead = () => spawnSync(process.execPath, ["--conditions=@daos/source", LEAVE_SOCKET, fixture.path]);
    expect(dead().status).toBe(0);
    await expect(stat(fixture.path)).resolves.toBeDefined();
    expect(await removeDeadSockets(fixture.directory, (name) => name.endsWith(".sock"))).toEqual([]);
    await expect(stat(fixture.path)).rejects.toMatchObject({ code: "ENOENT" });
    dead();
    await fixture.serve([echoRank]);
    expect((await (await fixture.connect()).call(drpcMethods.setRank, { rank: 4 })).status).toBe(-4);
  });

  it("DrpcServer makes its socket with mode 0660, and removes it when it closes", async () => {
    const server = await fixture.serve([echoRank]);
    expect((await stat(fixture.path)).mode & 0o7777).toBe(0o660);
    await server.close();
    await expect(stat(fixture.path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("DrpcServer leaves the socket of a live server alone", async () => {
    await fixture.serve([echoRank]);
    const second = new DrpcServer({ path: fixture.path, log: silentLogger, modules: [] });
    await expect(second.listen()).rejects.toMatchObject({
      code: FaultCode.drpcSocketBusy,
      description: `cannot listen on ${fixture.path}: another process is listening there`,
    });
    await second.close();
    expect((await (await fixture.connect()).call(drpcMethods.setRank, { rank: 4 })).status).toBe(-4);
  });

  it("DrpcServer leaves a file that is no socket alone", async () => {
    await writeFile(fixture.path, "precious");
    await expect(fixture.serve([])).rejects.toThrow("there is a file that is not a socket");
  });

  it("DrpcServer refuses a path without its directory", async () => {
    fixture.path = join(fixture.directory, "missing", "x.sock");
    await expect(fixture.serve([])).rejects.toMatchObject({ code: FaultCode.drpcSocketDirectory });
    fixture.path = join(fixture.directory, "x".repeat(120));
    await expect(fixture.serve([])).rejects.toMatchObject({ code: FaultCode.drpcSocketDirectory });
  });

  it("DrpcServer.close() leaves another listener's socket alone", async () => {
    const server = await fixture.serve([echoRank]);
    await rm(fixture.path);
    const other = await PacketListener.listen(fixture.path, {
      onSocket: (socket) => socket.close(),
      onError: () => {},
    });
    fixture.closeLater(() => other.close());
    await server.close();
    await expect(stat(fixture.path)).resolves.toBeDefined();
    expect(await removeDeadSockets(fixture.directory, (name) => name.endsWith(".sock"))).toEqual(["x.sock"]);
  });
});

describe("DrpcClient.connect()", () => {
  it("DrpcClient.connect() fails with a fault when no server listens", async () => {
    await expect(DrpcClient.connect(fixture.path)).rejects.toMatchObject({
      code: FaultCode.drpcConnect,
      description: `cannot connect to ${fixture.path}`,
    });
  });

  it("DrpcClient.connect() does nothing when its signal has aborted", async () => {
    await expect(DrpcClient.connect(fixture.path, { signal: AbortSignal.abort("no") })).rejects.toBe("no");
  });
});

import { spawnSync } from "node:child_process";
import { rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
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
  it("reaches its handler with the peer's credentials, and the answer its caller", async () => {
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

  it("without a body gets an answer with all defaults", async () => {
    await fixture.serve([handle(drpcMethods.startMs, () => ({}))]);
    const client = await fixture.connect();
    expect((await client.call(drpcMethods.startMs, undefined)).status).toBe(0);
  });

  it("is answered while others on the same connection wait, and after them", async () => {
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

  it("gives up at its signal with the reason; the connection goes on", async () => {
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

  it("that fails says how, with method and socket", async () => {
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

  it("too long for a packet is refused before it is sent", async () => {
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

  it("fails when the connection is lost, and so does every later one", async () => {
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

describe("the server answers", () => {
  const ask = async (packet: Uint8Array) => {
    const peer = await fixture.rawPeer();
    peer.send(packet);
    return Buffer.from((await peer.next()) ?? []).toString("hex");
  };

  it.each(["ff", "0a", "2205010203", "00"])(
    "%s, which is no call, with sequence -1 and FAILED_UNMARSHAL_CALL",
    async (garbage) => {
      await fixture.serve([echoRank]);
      expect(await ask(Buffer.from(garbage, "hex"))).toBe("08ffffffffffffffffff011005");
    },
  );

  it("an empty packet as the call that it is: all defaults", async () => {
    await fixture.serve([echoRank]);
    expect(await ask(new Uint8Array(0))).toBe("1003");
  });

  it("a body that does not decode with FAILED_UNMARSHAL_PAYLOAD", async () => {
    await fixture.serve([echoRank]);
    expect(await ask(encodeCall(2, 202, 9n, Buffer.from("08", "hex")))).toBe("08091006");
  });

  it("any sequence with the same", async () => {
    await fixture.serve([echoRank]);
    for (const sequence of [0n, 1n, -5n, 2n ** 62n]) {
      const answer = decodeResponse(Buffer.from(await ask(encodeCall(9, 1, sequence, NOTHING)), "hex"));
      expect(answer).toMatchObject({ sequence, status: drpc.Status.UNKNOWN_MODULE });
    }
  });

  it("no more peers than it may have, and further ones when others have gone", async () => {
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

  it("when descriptors run out, as soon as there are some again", () => {
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

  it("200 peers at once, each with many calls", async () => {
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
  it("that a dead server left behind is replaced, and removed when asked", async () => {
    const dead = () => spawnSync(process.execPath, ["--conditions=@daos/source", LEAVE_SOCKET, fixture.path]);
    expect(dead().status).toBe(0);
    await expect(stat(fixture.path)).resolves.toBeDefined();
    expect(await removeDeadSockets(fixture.directory, (name) => name.endsWith(".sock"))).toEqual([]);
    await expect(stat(fixture.path)).rejects.toMatchObject({ code: "ENOENT" });
    dead();
    await fixture.serve([echoRank]);
    expect((await (await fixture.connect()).call(drpcMethods.setRank, { rank: 4 })).status).toBe(-4);
  });

  it("has mode 0660 and goes with the server", async () => {
    const server = await fixture.serve([echoRank]);
    expect((await stat(fixture.path)).mode & 0o7777).toBe(0o660);
    await server.close();
    await expect(stat(fixture.path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("of a live server is left alone", async () => {
    await fixture.serve([echoRank]);
    const second = new DrpcServer({ path: fixture.path, log: silentLogger, modules: [] });
    await expect(second.listen()).rejects.toMatchObject({
      code: FaultCode.drpcSocketBusy,
      description: `listen on ${fixture.path}: another process is listening there`,
    });
    await second.close();
    expect((await (await fixture.connect()).call(drpcMethods.setRank, { rank: 4 })).status).toBe(-4);
  });

  it("that is something else is left alone", async () => {
    await writeFile(fixture.path, "precious");
    await expect(fixture.serve([])).rejects.toThrow("there is a file that is not a socket");
  });

  it("needs its directory", async () => {
    fixture.path = join(fixture.directory, "missing", "x.sock");
    await expect(fixture.serve([])).rejects.toMatchObject({ code: FaultCode.drpcSocketDirectory });
    fixture.path = join(fixture.directory, "x".repeat(120));
    await expect(fixture.serve([])).rejects.toMatchObject({ code: FaultCode.drpcSocketDirectory });
  });

  it("of another listener is not removed at close", async () => {
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

describe("connect", () => {
  it("says when there is nobody", async () => {
    await expect(DrpcClient.connect(fixture.path)).rejects.toMatchObject({
      code: FaultCode.drpcConnect,
      description: `connect to ${fixture.path}`,
    });
  });

  it("does nothing when its signal has aborted", async () => {
    await expect(DrpcClient.connect(fixture.path, { signal: AbortSignal.abort("no") })).rejects.toBe("no");
  });
});

import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { drpc } from "@daos/proto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DrpcClient } from "./drpc-client.ts";
import { drpcMethods } from "./drpc-methods.ts";
import { type BoundMethod, drpcModule, handle } from "./drpc-module.ts";
import { DrpcServer, type DrpcServerOptions } from "./drpc-server.ts";
import { encodeCall } from "./envelope.ts";
import { MAX_PACKET } from "./faults.ts";
import { PacketListener } from "./packet-listener.ts";
import { PacketSocket } from "./packet-socket.ts";
import { removeDeadSockets } from "./remove-dead-sockets.ts";

let directory = "";
let path = "";
const closers: (() => unknown)[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "drpc-"));
  path = join(directory, "x.sock");
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await rm(directory, { recursive: true });
});

async function serve(
  bound: readonly BoundMethod[],
  options: Partial<DrpcServerOptions> = {},
): Promise<DrpcServer> {
  const server = new DrpcServer({ path, log: silentLogger, modules: [drpcModule(2, bound)], ...options });
  await server.listen();
  closers.push(() => server.close());
  return server;
}

async function connect(): Promise<DrpcClient> {
  const client = await DrpcClient.connect(path);
  closers.push(() => client.close());
  return client;
}

/** A peer without a client: sends packets as they are, answers with what comes back. */
async function rawPeer(): Promise<{
  socket: PacketSocket;
  next: () => Promise<Uint8Array>;
  ended: Promise<unknown>;
}> {
  const socket = await PacketSocket.connect(path);
  closers.push(() => socket.close());
  const packets: Uint8Array[] = [];
  let wake = () => {};
  const ended = new Promise((resolve) => {
    socket.open({
      onPacket: (packet) => {
        packets.push(packet);
        wake();
      },
      onClose: resolve,
    });
  });
  const next = async () => {
    if (packets.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return packets.shift() as Uint8Array;
  };
  return { socket, next, ended };
}

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const echoRank = handle(drpcMethods.setRank, ({ rank }) => ({ status: -rank }));

describe("a call", () => {
  it("reaches its handler with the peer's credentials, and the answer its caller", async () => {
    const peers: unknown[] = [];
    await serve([
      handle(drpcMethods.setRank, async ({ rank }, { peer }) => {
        peers.push(peer);
        return { status: -rank };
      }),
    ]);
    const client = await connect();
    expect((await client.call(drpcMethods.setRank, { rank: 7 })).status).toBe(-7);
    const self = { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() };
    expect(peers).toEqual([self]);
    expect(client.peer).toEqual(self);
  });

  it("without a body gets an answer with all defaults", async () => {
    await serve([handle(drpcMethods.startMs, () => ({}))]);
    const client = await connect();
    expect((await client.call(drpcMethods.startMs, undefined)).status).toBe(0);
  });

  it("is answered while others on the same connection wait, and after them", async () => {
    const release: (() => void)[] = [];
    await serve([
      handle(drpcMethods.setRank, async ({ rank }) => {
        if (rank === 1) await new Promise<void>((resolve) => release.push(resolve));
        return { status: rank };
      }),
    ]);
    const client = await connect();
    const slow = client.call(drpcMethods.setRank, { rank: 1 });
    expect((await client.call(drpcMethods.setRank, { rank: 2 })).status).toBe(2);
    release[0]?.();
    expect((await slow).status).toBe(1);
  });

  it("gives up at its signal with the reason; the connection goes on", async () => {
    const gone: Promise<void>[] = [];
    await serve([
      echoRank,
      handle(drpcMethods.startMs, async (_, { signal }) => {
        const wait = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        gone.push(wait);
        await wait;
        return {};
      }),
    ]);
    const client = await connect();
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
    await serve([
      handle(drpcMethods.setRank, () => {
        throw new Error("no");
      }),
      handle(drpcMethods.listPools, () => ({ pools: [{ uuid: "x".repeat(MAX_PACKET) }] })),
    ]);
    const client = await connect();
    await expect(client.call(drpcMethods.setRank, { rank: 1 })).rejects.toMatchObject({
      code: FaultCode.drpcCallFailed,
      description: `dRPC setRank on ${path}: the peer answered FAILURE`,
    });
    await expect(client.call(drpcMethods.listPools, {})).rejects.toThrow("FAILED_MARSHAL");
    await expect(client.call(drpcMethods.startMs, undefined)).rejects.toThrow("UNKNOWN_METHOD");
    await expect(client.call(drpcMethods.notifyReady, {})).rejects.toThrow("UNKNOWN_MODULE");
  });

  it("too long for a packet is refused before it is sent", async () => {
    await serve([handle(drpcMethods.poolGetAcl, ({ uuid }) => ({ ACL: [`${uuid.length}`] }))]);
    const client = await connect();
    await expect(client.call(drpcMethods.poolGetAcl, { uuid: "x".repeat(20_000) })).rejects.toMatchObject({
      code: FaultCode.drpcMessageTooLong,
      description: `dRPC poolGetAcl on ${path}: the message has 20015 bytes, a dRPC packet at most 16384`,
    });
    const longest = MAX_PACKET - 15;
    expect((await client.call(drpcMethods.poolGetAcl, { uuid: "x".repeat(longest) })).ACL).toEqual([
      `${longest}`,
    ]);
  });

  it("fails when the connection is lost, and so does every later one", async () => {
    const server = await serve([handle(drpcMethods.setRank, () => new Promise(() => {}))]);
    const client = await connect();
    const calls = [1, 2, 3].map((rank) => client.call(drpcMethods.setRank, { rank }));
    await server.close();
    for (const call of calls) {
      await expect(call).rejects.toMatchObject({ code: FaultCode.drpcConnectionLost });
    }
    await client.closed;
    expect(client.isOpen).toBe(false);
    await expect(client.call(drpcMethods.setRank, { rank: 1 })).rejects.toThrow(`dRPC setRank on ${path}`);
  });
});

describe("the server answers", () => {
  it("a packet that is no call with sequence -1 and FAILED_UNMARSHAL_CALL", async () => {
    await serve([echoRank]);
    const { socket, next } = await rawPeer();
    for (const garbage of ["ff", "0a", "2205010203", "00"]) {
      socket.send(Buffer.from(garbage, "hex"), "garbage");
      expect(hexOf(await next())).toBe("08ffffffffffffffffff011005");
    }
  });

  it("an empty packet as the call that it is: all defaults", async () => {
    await serve([echoRank]);
    const { socket, next } = await rawPeer();
    socket.send(new Uint8Array(0), "empty");
    expect(hexOf(await next())).toBe("1003");
  });

  it("a body that does not decode with FAILED_UNMARSHAL_PAYLOAD", async () => {
    await serve([echoRank]);
    const { socket, next } = await rawPeer();
    socket.send(encodeCall(2, 202, 9n, Buffer.from("08", "hex")), "bad body");
    expect(hexOf(await next())).toBe("08091006");
  });

  it("any sequence with the same", async () => {
    await serve([echoRank]);
    const { socket, next } = await rawPeer();
    for (const sequence of [0n, -5n, 2n ** 62n]) {
      socket.send(encodeCall(9, 1, sequence, new Uint8Array(0)), "call");
      expect(hexOf(await next())).toBe(hexOf(encodeResponseOf(sequence)));
    }
  });
});

function encodeResponseOf(sequence: bigint): Uint8Array {
  const text = sequence === 0n ? "1003" : undefined;
  if (text !== undefined) return Buffer.from(text, "hex");
  const bytes: number[] = [0x08];
  let rest = BigInt.asUintN(64, sequence);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Uint8Array.from([...bytes, Number(rest), 0x10, drpc.Status.UNKNOWN_MODULE]);
}

describe("the socket file", () => {
  it("has mode 0660 and goes with the server", async () => {
    const server = await serve([echoRank]);
    expect((await stat(path)).mode & 0o7777).toBe(0o660);
    await server.close();
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("of a live server is left alone", async () => {
    await serve([echoRank]);
    const second = new DrpcServer({ path, log: silentLogger, modules: [] });
    await expect(second.listen()).rejects.toMatchObject({
      code: FaultCode.drpcSocketBusy,
      description: `listen on ${path}: another process is listening there`,
    });
    await second.close();
    expect((await (await connect()).call(drpcMethods.setRank, { rank: 4 })).status).toBe(-4);
  });

  it("that is something else is left alone", async () => {
    await writeFile(path, "precious");
    await expect(serve([])).rejects.toThrow("there is a file that is not a socket");
  });

  it("needs its directory", async () => {
    path = join(directory, "missing", "x.sock");
    await expect(serve([])).rejects.toMatchObject({ code: FaultCode.drpcSocketDirectory });
    path = join(directory, "x".repeat(120));
    await expect(serve([])).rejects.toMatchObject({ code: FaultCode.drpcSocketDirectory });
  });

  it("of another listener is not removed at close", async () => {
    const server = await serve([echoRank]);
    await rm(path);
    const other = await PacketListener.listen(path, {
      onSocket: (socket) => socket.close(),
      onError: () => {},
    });
    closers.push(() => other.close());
    await server.close();
    await expect(stat(path)).resolves.toBeDefined();
    expect(await removeDeadSockets(directory, (name) => name.endsWith(".sock"))).toEqual(["x.sock"]);
  });
});

describe("connect", () => {
  it("says when there is nobody", async () => {
    await expect(DrpcClient.connect(path)).rejects.toMatchObject({
      code: FaultCode.drpcConnect,
      description: `connect to ${path}`,
    });
  });

  it("does nothing when its signal has aborted", async () => {
    await expect(DrpcClient.connect(path, { signal: AbortSignal.abort("no") })).rejects.toBe("no");
  });
});

// Round trips per second of dRPC, compared with an echo over node:net in the same process. Client and server share one
// process, so each figure is the throughput of one core for both sides.
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DrpcClient, DrpcServer, drpcMethods, drpcModule, handle } from "@daos/drpc";
import { silentLogger } from "@daos/log";
import { PacketListener } from "../dist/packet-listener.js";
import { PacketSocket } from "../dist/packet-socket.js";

const SECONDS = Number(process.argv[2] ?? 2);
const directory = mkdtempSync(join(tmpdir(), "drpc-bench-"));

/**
 * Runs `width` loops of `once` for a fixed time. Returns rounds per second.
 *
 * @param {number} width
 * @param {() => Promise<unknown>} once
 */
async function measure(width, once) {
  let rounds = 0;
  /** @param {number} end in ms, as performance.now() has it */
  const loop = async (end) => {
    while (performance.now() < end) {
      await once();
      rounds++;
    }
  };
  await Promise.all(Array.from({ length: width }, () => loop(performance.now() + 300)));
  rounds = 0;
  const start = performance.now();
  await Promise.all(Array.from({ length: width }, () => loop(start + SECONDS * 1000)));
  return (rounds * 1000) / (performance.now() - start);
}

/**
 * An echo with ordered answers: resolves the oldest caller.
 *
 * @param {() => void} send
 * @returns {{ answered: () => void, once: () => Promise<void> }}
 */
function echoClient(send) {
  /** @type {(() => void)[]} */
  const waiting = [];
  return {
    answered: () => waiting.shift()?.(),
    once: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        send();
      }),
  };
}

const payload = Buffer.alloc(32, 1);

async function netEcho() {
  const path = join(directory, "net.sock");
  const server = createServer((socket) => socket.pipe(socket)).listen(path);
  const socket = createConnection(path);
  const client = echoClient(() => socket.write(payload));
  let bytes = 0;
  socket.on("data", (chunk) => {
    for (bytes += chunk.length; bytes >= payload.length; bytes -= payload.length) client.answered();
  });
  return {
    once: client.once,
    close: () => {
      socket.destroy();
      server.close();
    },
  };
}

async function packetEcho() {
  const path = join(directory, "packet.sock");
  const listener = await PacketListener.listen(path, {
    onSocket: (peer) => peer.open({ onPacket: (packet) => peer.send(packet, "echo"), onClose: () => {} }),
    onError: () => {},
  });
  const socket = await PacketSocket.connect(path);
  const client = echoClient(() => socket.send(payload, "echo"));
  socket.open({ onPacket: client.answered, onClose: () => {} });
  return {
    once: client.once,
    close: () => {
      socket.close();
      listener.close();
    },
  };
}

async function drpc() {
  const path = join(directory, "drpc.sock");
  const bound = handle(drpcMethods.setRank, ({ rank }) => ({ status: rank }));
  const server = new DrpcServer({
    path,
    log: silentLogger,
    modules: [drpcModule(2, [bound])],
    peerLimits: { messagesPerSecond: 1e6, bytesPerSecond: 1e9 },
  });
  await server.listen();
  const client = await DrpcClient.connect(path);
  const { signal } = new AbortController();
  return {
    once: () => client.call(drpcMethods.setRank, { rank: 7 }, { signal }),
    close: () => {
      client.close();
      return server.close();
    },
  };
}

/**
 * @param {number} width
 * @param {() => Promise<{ once: () => Promise<unknown>, close: () => unknown }>} make
 */
async function measureFresh(width, make) {
  const { once, close } = await make();
  const rate = await measure(width, once);
  await close();
  return rate;
}

/** @param {number} n */
const rate = (n) => `${Math.round(n).toLocaleString("en").padStart(9)}/s`;
process.stdout.write("in flight   node:net echo   packet echo   ratio    dRPC call   ratio\n");
for (const width of [1, 16]) {
  const net = await measureFresh(width, netEcho);
  const packet = await measureFresh(width, packetEcho);
  const call = await measureFresh(width, drpc);
  process.stdout.write(
    `${String(width).padStart(9)}     ${rate(net)}   ${rate(packet)}    ${(packet / net).toFixed(2)}  ${rate(call)}    ${(call / net).toFixed(2)}\n`,
  );
}
process.stdout.write(`resident ${Math.round(process.memoryUsage.rss() / 1e6)} MB\n`);
rmSync(directory, { recursive: true });

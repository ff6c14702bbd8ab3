import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { fileURLToPath } from "node:url";
import { Random } from "@daos/sys/testing";
import { malformedHttp2, malformedTls } from "./malformed-input.ts";
import { TestAuthority, TestCertificateFiles } from "./test-authority.ts";

export interface FuzzOptions {
  readonly inputs: number;
  readonly seed: number;
}

/** The result of {@link fuzz}. */
export interface FuzzResult {
  readonly inputs: number;
  /** How often a good client opened two connections during the attack, with one call each. Every one was answered. */
  readonly goodCalls: number;
  readonly slowestGoodCallMs: number;
  /** The same before the attack, as often. */
  readonly slowestBeforeMs: number;
  /** Growth of the server's objects and buffers after a garbage collection, in bytes. */
  readonly grownBytes: number;
}

/** The server closes a connection whose client has ended; it may take this long. */
const RUN_TIMEOUT_MS = 40_000;
const IN_FLIGHT = 8;
const BATCH = 64;

/**
 * Sends malformed input of every kind to a server in another process: in plain text, instead of a TLS handshake, and
 * over TLS with an administrator's certificate. During each batch a good client in a third process must get its answers.
 *
 * @throws Error when the server dies, does not answer, or keeps the connection of a client that has ended
 */
export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  using files = new TestCertificateFiles();
  const authority = new TestAuthority();
  const admin = authority.issue("admin");
  const transport = files.transport("server", authority.pem, authority.issue("server"));
  const tls = { ca: authority.pem, cert: admin.certPem, key: admin.keyPem, servername: "server" };
  using server = startProgram("fuzz-server.ts", files.write("transport.json", JSON.stringify(transport)));
  const [plainPort = 0, tlsPort = 0] = (await server.receive<{ ports: number[] }>()).ports;
  using client = startProgram(
    "fuzz-client.ts",
    files.write("client.json", JSON.stringify({ plainPort, tlsPort, tls })),
  );
  await client.receive();
  const targets: readonly ((random: Random, index: number) => Promise<void>)[] = [
    (random, index) => send(connectTcp(plainPort, "127.0.0.1"), malformedHttp2(random, index)),
    (random) => send(connectTcp(tlsPort, "127.0.0.1"), malformedTls(random)),
    (random, index) =>
      send(connectTls({ ...tls, port: tlsPort, ALPNProtocols: ["h2"] }), malformedHttp2(random, index)),
  ];
  const goodCall = async () => (await client.ask<{ ms: number }>()).ms;
  const memory = async () => (await server.ask<{ used: number }>()).used;

  const batches = Math.ceil(options.inputs / BATCH);
  // The first calls compile code.
  for (let warm = 0; warm < 20; warm++) await goodCall();
  let slowestBefore = 0;
  for (let calls = 0; calls < batches; calls++) slowestBefore = Math.max(slowestBefore, await goodCall());
  const before = await memory();
  const random = new Random(options.seed);
  let sent = 0;
  let slowest = 0;
  for (let batch = 0; batch < batches; batch++) {
    const indexes = Array.from(
      { length: Math.min(BATCH, options.inputs - sent) },
      (_, index) => sent + index,
    );
    const attack = Array.from({ length: IN_FLIGHT }, async () => {
      for (let index = indexes.shift(); index !== undefined; index = indexes.shift()) {
        sent++;
        await targets[index % targets.length]?.(random, Math.floor(index / targets.length));
      }
    });
    slowest = Math.max(slowest, await goodCall());
    await Promise.all(attack);
  }
  return {
    inputs: sent,
    goodCalls: batches,
    slowestGoodCallMs: slowest,
    slowestBeforeMs: slowestBefore,
    grownBytes: (await memory()) - before,
  };
}

interface Program extends Disposable {
  /** The next message. @throws Error when the program ends instead */
  receive<T>(): Promise<T>;
  ask<T>(): Promise<T>;
}

function startProgram(name: string, argument: string): Program {
  // Sources as they are: generated code has enums, which type stripping alone does not take.
  const execArgv = [
    "--expose-gc",
    "--conditions=@daos/source",
    "--experimental-transform-types",
    "--disable-warning=ExperimentalWarning",
  ];
  const path = fileURLToPath(new URL(`./${name}`, import.meta.url));
  const child: ChildProcess = fork(path, [argument], { execArgv, stdio: "inherit" });
  const died = once(child, "exit").then(() => {
    throw new Error(`${name} has died`);
  });
  died.catch(() => {});
  const receive = async <T>() => ((await Promise.race([once(child, "message"), died])) as [T])[0];
  return {
    receive,
    ask: async <T>() => {
      const answer = receive<T>();
      child.send("");
      return answer;
    },
    [Symbol.dispose]: () => {
      child.kill("SIGKILL");
    },
  };
}

async function send(socket: Duplex, input: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`the server kept a connection open after ${input.toString("hex")}`));
    }, RUN_TIMEOUT_MS);
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.resume();
    socket.end(input);
  });
}

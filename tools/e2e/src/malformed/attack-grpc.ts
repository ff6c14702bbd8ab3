import {
  type ClientHttp2Session,
  connect as connectHttp2,
  constants,
  type SecureClientSessionOptions,
} from "node:http2";
import { connect as connectTcp } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { DescMessage } from "@bufbuild/protobuf";
import { ctl, grpc, mgmt } from "@daos/proto";
import { grpcMessage, malformedHttp2, malformedTls } from "@daos/security/testing";
import { delay } from "@daos/sys";
import type { Random } from "@daos/sys/testing";
import type { AttackCertificates, AttackProgress } from "./attack.ts";
import { randomMessage } from "./random-message.ts";

/** The calls on one connection, and how many of them are in flight: an agent's limit. */
const CALLS = 2_000;
const AT_ONCE = 14;
/** One connection in this many calls sends bytes that are not HTTP/2 or not TLS. */
const CALLS_FOR_A_CONNECTION = 50;
/** The time limit within which the server must end every call and every bad connection on a busy machine, ms. */
const END_MS = 300_000;
/** How long the server may refuse connections of one address, ms. */
const REFUSED_MS = 300_000;

interface Call {
  readonly path: string;
  readonly request: DescMessage;
}

const SERVICES = [ctl.MgmtCtl, mgmt.MgmtSvc, grpc.Health];
const RPCS: readonly Call[] = SERVICES.flatMap((service) =>
  service.methods.map(({ name, input }) => ({ path: `/${service.typeName}/${name}`, request: input })),
);
/**
 * Methods that these roles may call, and that would end the engine or change this machine's devices: on the loopback a server
 * counts as the host itself.
 */
const NOT_AS: Readonly<Record<AttackCertificates["roles"][number]["role"], RegExp | undefined>> = {
  admin: /Storage(Prepare|Format|BurnIn)|System(Stop|Start|Exclude|ClearExclude|Erase)|SetLogMasks/,
  server: /KillRank|PrepShutdown|StartRank/,
  agent: undefined,
};

/** Sends malformed calls with each certificate, and malformed connections, to a server with TLS. @throws Error when it hangs */
export async function attackGrpc(
  { port, certificates }: { readonly port: number; readonly certificates: AttackCertificates },
  random: Random,
  progress: AttackProgress,
): Promise<void> {
  const { ca, roles } = certificates;
  const lanes = roles.map(async ({ role, cert, key }) => {
    const calls = RPCS.filter(({ path }) => NOT_AS[role]?.test(path) !== true);
    const tls = { ca, cert, key, servername: "server" };
    let refusedSince: number | undefined;
    while (progress.wants()) {
      // Other tests cover the limits per address.
      const options = { ...tls, localAddress: anyAddress(random) } as SecureClientSessionOptions;
      const session = connectHttp2(`https://127.0.0.1:${port}`, options);
      const ended = await attackSession(session, { calls, tls: { ...tls, port } }, random, progress);
      if (ended > 0) refusedSince = undefined;
      else {
        refusedSince ??= performance.now();
        if (performance.now() - refusedSince > REFUSED_MS)
          throw new Error(`no connection as ${role} for ${REFUSED_MS} ms`);
        await delay(50);
      }
    }
  });
  await Promise.all(lanes);
}

interface SessionPlan {
  readonly calls: readonly Call[];
  readonly tls: object & { readonly port: number };
}

/** @returns the number of calls that the server has ended */
async function attackSession(
  session: ClientHttp2Session,
  plan: SessionPlan,
  random: Random,
  progress: AttackProgress,
): Promise<number> {
  let begun = 0;
  let ended = 0;
  session.on("error", () => {});
  const lane = async () => {
    while (!session.closed && !session.destroyed && begun < CALLS && progress.wants()) {
      begun++;
      progress.add();
      if (begun % CALLS_FOR_A_CONNECTION === 0) await malformedConnection(random, begun, plan.tls);
      else if (await malformedCall(session, random.pick(plan.calls), random)) ended++;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  session.destroy();
  return ended;
}

/** @returns whether the server has answered or reset it @throws Error when it does neither */
function malformedCall(
  session: ClientHttp2Session,
  { path, request }: Call,
  random: Random,
): Promise<boolean> {
  const body = randomMessage(random, request);
  const message = grpcMessage(
    body,
    random.oneIn(20) ? random.below(256) : 0,
    random.oneIn(20) ? random.below(2 ** 32) : body.length,
  );
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":method": random.oneIn(50) ? "GET" : "POST",
      ":path": random.oneIn(50) ? `${path}X` : path,
      "content-type": random.oneIn(30) ? "text/plain" : "application/grpc",
      "grpc-timeout": random.pick(["2S", "500m", "1n", "x"]),
      ...(random.oneIn(20) ? { "grpc-encoding": random.pick(["gzip", "br", "identity"]) } : {}),
    });
    const timer = setTimeout(() => {
      reject(new Error(`${path} has no end after ${END_MS} ms: ${message.toString("hex").slice(0, 2000)}`));
      session.destroy();
    }, END_MS);
    let isAnswered = false;
    stream.on("error", () => {});
    stream.on("response", () => {
      isAnswered = true;
    });
    stream.on("close", () => {
      clearTimeout(timer);
      resolve(isAnswered || stream.rstCode !== constants.NGHTTP2_NO_ERROR);
    });
    stream.resume();
    if (random.oneIn(100)) stream.close(constants.NGHTTP2_CANCEL);
    else if (random.oneIn(20)) {
      stream.write(message);
      stream.end(message);
    } else stream.end(message.subarray(0, random.oneIn(20) ? random.below(message.length) : message.length));
  });
}

async function malformedConnection(
  random: Random,
  index: number,
  tls: object & { readonly port: number },
): Promise<void> {
  const local = { host: "127.0.0.1", port: tls.port, localAddress: anyAddress(random) };
  const turn = index / CALLS_FOR_A_CONNECTION;
  if (turn % 3 === 0) await send(connectTcp(local), malformedTls(random));
  else if (turn % 3 === 1) await send(connectTcp(local), malformedHttp2(random, turn));
  else await send(connectTls({ ...tls, ...local, ALPNProtocols: ["h2"] }), malformedHttp2(random, turn));
}

/** Sends the bytes, and waits until the server closes the connection. @throws Error when it does not */
function send(socket: Duplex, input: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`the server keeps a connection after ${input.toString("hex").slice(0, 2000)}`));
    }, END_MS);
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.resume();
    socket.end(input);
  });
}

/** A random address of this host that is no access point's address. */
function anyAddress(random: Random): string {
  return `127.0.${1 + random.below(50)}.${1 + random.below(250)}`;
}

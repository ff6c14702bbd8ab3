import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type ClientHttp2Session, connect, type SecureClientSessionOptions } from "node:http2";
import { grpcCall, grpcMessage } from "@daos/security/testing";
import { TestSystem } from "../test-system.ts";
import { readCertificates } from "./attack.ts";

/** The result of {@link unfinishedBodies}. */
export interface UnfinishedBodies {
  readonly connections: number;
  readonly callsEach: number;
  /** The server's memory before the attack, and its peak. */
  readonly idleMiB: number;
  readonly mostMiB: number;
  /** The slowest of an administrator's calls before and during the attack. Each call has its own connection. */
  readonly quietMs: number;
  readonly loadedMs: number;
}

const MIB = 1024 * 1024;
const CALLS = 128;
/** Agents on many nodes, because one address may have few connections. */
const CONNECTIONS_OF_AN_ADDRESS = 16;
const ADMINISTRATORS_CALLS = 20;

/** Opens connections to a real daos-server with an agent's certificate. Each has 128 unfinished requests. */
export async function unfinishedBodies(connections: number): Promise<UnfinishedBodies> {
  await using system = await TestSystem.create({ secure: true });
  await system.start();
  const { port } = system;
  const { ca, roles } = await readCertificates(system.directory);
  const tlsOf = (wanted: string) => {
    const { cert, key } = roles.find(({ role }) => role === wanted) ?? {};
    return { ca, cert, key, servername: "server" };
  };
  const [admin, agent] = [tlsOf("admin"), tlsOf("agent")];
  const memory = () => memoryOf(system.server.child.pid ?? 0);
  const slowest = () => slowestCall(port, admin);

  const quietMs = await slowest();
  const idle = await memory();
  const sessions: ClientHttp2Session[] = [];
  try {
    for (let index = 0; index < connections; index++) {
      const localAddress = `127.0.1.${1 + Math.floor(index / CONNECTIONS_OF_AN_ADDRESS)}`;
      const options = { ...agent, localAddress } as SecureClientSessionOptions;
      sessions.push(await openBodies(`https://127.0.0.1:${port}`, options));
    }
    const loadedMs = await slowest();
    const { most } = await memory();
    const open = sessions.filter(({ destroyed }) => !destroyed).length;
    return {
      connections: open,
      callsEach: CALLS,
      idleMiB: Math.round(idle.now / MIB),
      mostMiB: Math.round(most / MIB),
      quietMs,
      loadedMs,
    };
  } finally {
    for (const session of sessions) session.destroy();
  }
}

async function openBodies(url: string, options: SecureClientSessionOptions): Promise<ClientHttp2Session> {
  const session = connect(url, options);
  session.on("error", () => {});
  await Promise.race([once(session, "remoteSettings"), once(session, "close")]).catch(() => {});
  const halfBody = grpcMessage(new Uint8Array(4000), 0, 4096);
  for (let call = 0; call < CALLS && !session.destroyed; call++) {
    const stream = session.request({
      ":method": "POST",
      ":path": "/mgmt.MgmtSvc/LeaderQuery",
      "content-type": "application/grpc",
    });
    stream.on("error", () => {}).resume();
    stream.write(halfBody);
  }
  return session;
}

async function slowestCall(port: number, tls: object): Promise<number> {
  let slowest = 0;
  for (let call = 0; call < ADMINISTRATORS_CALLS; call++) {
    const begin = performance.now();
    const { status } = await grpcCall(port, tls);
    if (status !== "0") throw new Error(`the administrator's call ended with ${status}`);
    slowest = Math.max(slowest, performance.now() - begin);
  }
  return Math.round(slowest);
}

/** @see man 5 proc_pid_status: VmHWM is the peak resident size */
async function memoryOf(pid: number): Promise<{ readonly now: number; readonly most: number }> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const bytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? 0) * 1024;
  return { now: bytes("VmRSS"), most: bytes("VmHWM") };
}

// npm run bench:bodies -w @daos/security [-- CONNECTIONS]
// Many connections of one agent certificate, each with 128 requests that never end, against a server in a process of its own.
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type ClientHttp2Session, connect, type SecureClientSessionOptions } from "node:http2";
import { performance } from "node:perf_hooks";
import { clientTlsOptions } from "../tls-options.ts";
import { grpcCall } from "./grpc-call.ts";
import { grpcMessage } from "./raw-http2.ts";
import { TestAuthority, TestCertificateFiles } from "./test-authority.ts";

const MIB = 1024 * 1024;
/** The figures that docs/reliability.md promises. */
const MAX_RSS_BYTES = 300 * MIB;
const MAX_SLOWDOWN_MS = 200;
const CALLS = 128;

const connections = Number(process.argv[2] ?? "512");
const authority = new TestAuthority();
using files = new TestCertificateFiles();
const transport = files.transport("server", authority.pem, authority.issue("server"));
const child = fork(
  new URL("./fuzz-server.ts", import.meta.url),
  [files.write("transport.json", JSON.stringify(transport))],
  {
    // As bin/daos-server starts it.
    execArgv: [...process.execArgv, "--max-semi-space-size=2"],
  },
);
const [{ ports }] = (await once(child, "message")) as [{ ports: readonly number[] }];
const port = ports[1] ?? 0;
const tlsOf = async (role: string) =>
  clientTlsOptions(files.transport(role, authority.pem, authority.issue(role)));
const admin = await tlsOf("admin");
const agent = await tlsOf("agent");

const quiet = await slowestCall();
const sessions: ClientHttp2Session[] = [];
const halfBody = grpcMessage(new Uint8Array(4000), 0, 4096);
for (let index = 0; index < connections; index++) {
  // Agents on many nodes: one address may have few connections.
  const localAddress = `127.0.1.${1 + Math.floor(index / 16)}`;
  const session = connect(`https://127.0.0.1:${port}`, {
    ...agent,
    localAddress,
  } as SecureClientSessionOptions);
  session.on("error", () => {});
  sessions.push(session);
  await Promise.race([once(session, "remoteSettings"), once(session, "close")]).catch(() => {});
  for (let call = 0; call < CALLS && !session.destroyed; call++) {
    const stream = session.request({
      ":method": "POST",
      ":path": "/mgmt.MgmtSvc/LeaderQuery",
      "content-type": "application/grpc",
    });
    stream.on("error", () => {}).resume();
    stream.write(halfBody);
  }
}
const loaded = await slowestCall();
const rss = rssOf(child.pid ?? 0);
const open = sessions.filter(({ destroyed }) => !destroyed).length;
for (const session of sessions) session.destroy();
child.kill();
const result = {
  connections: open,
  callsEach: CALLS,
  rssMiB: Math.round(rss / MIB),
  quietMs: quiet,
  loadedMs: loaded,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
if (rss > MAX_RSS_BYTES || loaded - quiet > MAX_SLOWDOWN_MS) process.exitCode = 1;

/** The slowest of some calls of an administrator, each on a connection of its own, ms. */
async function slowestCall(): Promise<number> {
  let slowest = 0;
  for (let call = 0; call < 20; call++) {
    const begin = performance.now();
    const { status } = await grpcCall(port, admin);
    if (status !== "0") throw new Error(`the administrator's call ended with ${status}`);
    slowest = Math.max(slowest, performance.now() - begin);
  }
  return Math.round(slowest);
}

/** @see man 5 proc_pid_status, VmHWM: the most that was ever in memory */
function rssOf(pid: number): number {
  const [, kib = "0"] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) * 1024;
}

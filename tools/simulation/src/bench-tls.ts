import { connect } from "node:http2";
import { join } from "node:path";
import type { TransportConfig } from "@daos/config";
import { MgmtClient } from "@daos/control-client";
import { mgmt } from "@daos/proto";
import { clientTlsSource } from "@daos/security";
import { TestAuthority, TestCertificateFiles } from "@daos/security/testing";
import { callOnce } from "./bench-calls.ts";
import type { FromLeader } from "./bench-leader.ts";
import { MEMBERS_BENCHED } from "./bench-members.ts";
import { type Say, startPart } from "./bench-parts.ts";
import { bareNode, compareWithStated, median } from "./bench-ratios.ts";
import { cpuSeconds } from "./cpu-time.ts";

/** New connections of a round. */
const CONNECTIONS = 400;
const AT_ONCE = 16;
/** Hosts of 8 engines each, and the reports of one in a round. */
const HOSTS = 64;
const REPORTS = 20;
const TLS_ROUNDS = 3;

/** The transport of a server, with the files that {@link benchTls} has written. */
export function serverTransport(directory: string): TransportConfig {
  const path = (name: string) => join(directory, name);
  return {
    allowInsecure: false,
    serverName: "server",
    clientCertDir: path("clients"),
    caCert: path("server-ca.crt"),
    cert: path("server.crt"),
    key: path("server.key"),
  };
}

/**
 * Prints what mTLS costs the leader's process, with P-256 keys: GetAttachInfo over a new connection each beside a hand-written
 * secure server, and the report of a host over its kept connection.
 *
 * @returns false when a ratio exceeds the one in docs/performance.md
 */
export async function benchTls(say: Say): Promise<boolean> {
  using files = new TestCertificateFiles();
  const authority = new TestAuthority();
  files.transport("server", authority.pem, authority.issue("server"));
  const agent = authority.issue("agent");
  files.client("agent", agent.certPem);
  const tls = { ca: authority.pem, cert: agent.certPem, key: agent.keyPem };
  const bare = bareNode();
  using plain = await startPart<{ readonly port: number }>("plain", files.directory);
  using leader = await startPart<FromLeader>("tls-leader", `${MEMBERS_BENCHED}`, files.directory);
  const costs = { plain: [] as number[], leader: [] as number[], report: [] as number[] };
  using hosts = new ReportingHosts(serverTransport(files.directory), leader.ready.port);
  // The first round is a warm-up.
  for (let round = 0; round <= TLS_ROUNDS; round++) {
    const measured = {
      plain: await newConnections(plain.pid, plain.ready.port, tls),
      leader: await newConnections(leader.pid, leader.ready.port, tls),
      report: await hosts.report(leader.pid),
    };
    if (round === 0) continue;
    for (const name of ["plain", "leader", "report"] as const) costs[name].push(measured[name]);
  }
  const [handWritten, ours, report] = [median(costs.plain), median(costs.leader), median(costs.report)];
  say("| mTLS, P-256 | hand-written | ours | measured | stated |");
  say("|---|---|---|---|---|");
  const ms = (seconds: number) => `${(seconds * 1000).toFixed(2)} ms`;
  let good = true;
  for (const [name, base, cost, ratio] of [
    ["GetAttachInfo, each over a new connection", ms(handWritten), ours, ours / handWritten],
    ["100 reports of hosts to bare Node.js", "", report, (100 * report) / bare.cpuSeconds],
  ] as const) {
    const compared = compareWithStated(name, ratio);
    if (!compared.good) good = false;
    say(`| ${name} | ${base} | ${ms(cost)} | ${ratio.toFixed(2)} | ${compared.text} |`);
  }
  return good;
}

/** Seconds of CPU for one GetAttachInfo over a connection of its own. */
async function newConnections(
  pid: number,
  port: number,
  tls: { readonly ca: string; readonly cert: string; readonly key: string },
): Promise<number> {
  const begun = cpuSeconds(pid);
  let left = CONNECTIONS;
  const work = async () => {
    while (left-- > 0) {
      const session = connect(`https://127.0.0.1:${port}`, { ...tls, checkServerIdentity: () => undefined });
      await callOnce(session, "/mgmt.MgmtSvc/GetAttachInfo");
      session.destroy();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return (cpuSeconds(pid) - begun) / CONNECTIONS;
}

/** Hosts that report their engines, each over its kept connection. */
class ReportingHosts implements Disposable {
  readonly #clients: readonly MgmtClient[];
  readonly #leader: { readonly host: string; readonly port: number };

  constructor(transport: TransportConfig, port: number) {
    const source = clientTlsSource(transport);
    this.#clients = Array.from({ length: HOSTS }, () => new MgmtClient(source));
    this.#leader = { host: "127.0.0.1", port };
  }

  /** Seconds of the leader's CPU for one report. */
  async report(pid: number): Promise<number> {
    const { signal } = new AbortController();
    const begun = cpuSeconds(pid);
    for (let count = 0; count < REPORTS; count++)
      await Promise.all(
        this.#clients.map((client, host) => client.reportEngines(this.#leader, reportOf(host), { signal })),
      );
    return (cpuSeconds(pid) - begun) / (HOSTS * REPORTS);
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) client[Symbol.dispose]();
  }
}

/** The engines of the host are every 256th member, as in bench-leader.ts. */
function reportOf(host: number) {
  const engines = Array.from({ length: 8 }, (_, index) => ({
    uuid: `00000000-0000-4000-8000-${(host + 256 * index).toString(16).padStart(12, "0")}`,
    incarnation: 1,
    state: mgmt.ReportEnginesReq_State.SERVING,
    reason: "",
    number: index + 1,
  }));
  return { addr: `10.0.0.${host}:10001`, engines, intervalMs: 5_000, warnings: [], configured: 8 };
}

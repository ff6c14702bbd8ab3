import { type ClientHttp2Session, connect } from "node:http2";
import { loadavg } from "node:os";
import { join } from "node:path";
import { MEMBERS_BENCHED } from "./bench-members.ts";
import { BENCH, type Say, startProgram } from "./bench-parts.ts";
import { bareNode, compareWithStated, median, ROUNDS } from "./bench-ratios.ts";
import { cpuSeconds } from "./cpu-time.ts";

const CONNECTIONS = 16;
/** Concurrent calls on each connection. */
const AT_ONCE = 4;
/** An empty message: no compression, length 0. */
const EMPTY = Buffer.alloc(5);

/** The calls, and how many of each are made in a round. */
const CALLS = [
  { name: "LeaderQuery", path: "/mgmt.MgmtSvc/LeaderQuery", count: 4000 },
  { name: `GetAttachInfo, ${MEMBERS_BENCHED} members`, path: "/mgmt.MgmtSvc/GetAttachInfo", count: 3000 },
  {
    name: `SystemMemberQuery, ${MEMBERS_BENCHED} members`,
    path: "/ctl.MgmtCtl/SystemMemberQuery",
    count: 800,
  },
] as const;

type Call = (typeof CALLS)[number];

/** A server process, and the CPU seconds of one call in each round. */
interface Measured {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  readonly costs: Map<Call, number[]>;
}

/**
 * Prints the CPU time of a call on the leader as a ratio to a minimal handler on node:http2, and compares it with the ratios in
 * docs/performance.md.
 *
 * @param before root of another built checkout, which is measured in the same run
 * @returns false when a ratio exceeds the stated one by more than the stated noise
 */
export async function benchCalls(before: string | undefined, say: Say): Promise<boolean> {
  using stack = new DisposableStack();
  const start = async (name: string, program: string, ...args: readonly string[]): Promise<Measured> => {
    const { pid, ready } = stack.use(await startProgram<{ readonly port: number }>(program, ...args));
    return { name, pid, port: ready.port, costs: new Map(CALLS.map((call) => [call, []])) };
  };
  const plain = await start("hand-written", BENCH, "plain");
  const ours = await start("ours", BENCH, "leader", `${MEMBERS_BENCHED}`);
  const all = [plain, ours];
  if (before !== undefined) {
    const program = join(before, "tools/simulation/dist/bench.js");
    all.push(await start("before", program, "leader", `${MEMBERS_BENCHED}`));
  }
  // The first round warms up.
  for (let round = 0; round <= ROUNDS; round++)
    for (const call of CALLS)
      for (const server of all) {
        const cost = await costOf(server, call);
        if (round > 0 && cost !== undefined) server.costs.get(call)?.push(cost);
      }
  return print(plain, all, say);
}

/** CPU seconds of one call; undefined when the server does not implement it. */
async function costOf({ pid, port }: Measured, { path, count }: Call): Promise<number | undefined> {
  const sessions = Array.from({ length: CONNECTIONS }, () => connect(`http://127.0.0.1:${port}`));
  try {
    const begun = cpuSeconds(pid);
    let left = count;
    const work = async (session: ClientHttp2Session) => {
      while (left-- > 0) await callOnce(session, path);
    };
    await Promise.all(sessions.flatMap((session) => Array.from({ length: AT_ONCE }, () => work(session))));
    return (cpuSeconds(pid) - begun) / count;
  } catch {
    return undefined;
  } finally {
    for (const session of sessions) session.destroy();
  }
}

/** Calls like the Go client of release 0.8.0: no compression, with a deadline. */
export function callOnce(session: ClientHttp2Session, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      "grpc-timeout": "59999924u",
    });
    let status: unknown;
    const note = (headers: Readonly<Record<string, unknown>>) => {
      status = headers["grpc-status"] ?? status;
    };
    stream.on("response", note).on("trailers", note).on("error", reject);
    stream.on("data", () => {});
    stream.on("close", () => (status === "0" ? resolve() : reject(new Error(`${path}: status ${status}`))));
    stream.end(EMPTY);
  });
}

function print(plain: Measured, all: readonly Measured[], say: Say): boolean {
  const { cpuSeconds: bare } = bareNode();
  const load = loadavg().map((value) => value.toFixed(1));
  say(
    `CPU time of the server, median of ${ROUNDS} rounds, ${CONNECTIONS} connections; load ${load.join(" ")}`,
  );
  say(`bare Node.js: ${(bare * 1000).toFixed(0)} ms of CPU\n`);
  say("| call | server | CPU per call | calls per bare Node.js | to hand-written | spread | stated |");
  say("|---|---|---|---|---|---|---|");
  let good = true;
  for (const call of CALLS) {
    const base = median(plain.costs.get(call) ?? []);
    for (const { name, costs } of all) {
      const one = costs.get(call) ?? [];
      if (one.length === 0) {
        say(`| ${call.name} | ${name} | not answered | | | | |`);
        // Another checkout may not have the call yet.
        if (name !== "before") good = false;
        continue;
      }
      const cost = median(one);
      const ratio = cost / base;
      const ratios = one.map((value) => value / base);
      const comparison = name === "ours" ? compareWithStated(call.name, ratio) : undefined;
      if (comparison?.good === false) good = false;
      say(
        `| ${call.name} | ${name} | ${(cost * 1e6).toFixed(0)} µs | ${Math.round(bare / cost)} | ${ratio.toFixed(2)} | ${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)} | ${comparison?.text ?? ""} |`,
      );
    }
  }
  return good;
}

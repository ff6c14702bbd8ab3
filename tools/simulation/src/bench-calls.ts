import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type ClientHttp2Session, connect } from "node:http2";
import { loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MEMBERS_BENCHED } from "./bench-members.ts";

const CONNECTIONS = 16;
/** Calls under way on each connection. */
const AT_ONCE = 4;
const ROUNDS = 5;
/** `utime` and `stime` of proc(5) are in ticks; Linux shows programs 100 of them a second. */
const TICKS_PER_SECOND = 100;
/** An empty message: no compression, length 0. */
const EMPTY = Buffer.alloc(5);

/** The calls, with how many are made in a round. */
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

/** A server process, and the seconds of CPU that one call has cost it, of each round. */
interface Measured {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  readonly costs: Map<Call, number[]>;
}

const here = fileURLToPath(new URL("bench.js", import.meta.url));

/**
 * Prints what a call costs the leader in CPU time, as a ratio to the least that a handler on node:http2 does, and compares it
 * with the ratios that docs/performance.md states.
 *
 * @param before root of another checkout that has been built, to be measured in the same run
 * @returns false when a stated ratio is missed by more than the noise that is stated with it
 */
export async function benchCalls(before: string | undefined, say: (line: string) => void): Promise<boolean> {
  await using stack = new AsyncDisposableStack();
  const start = async (name: string, program: string, ...args: readonly string[]): Promise<Measured> => {
    const child = fork(program, args, { execArgv: process.execArgv });
    stack.defer(async () => {
      const closed = once(child, "close");
      child.kill("SIGKILL");
      await closed;
    });
    const [{ port }] = (await once(child, "message")) as [{ readonly port: number }];
    return { name, pid: child.pid ?? 0, port, costs: new Map(CALLS.map((call) => [call, []])) };
  };
  const plain = await start("hand-written", here, "plain");
  const ours = await start("ours", here, "leader", `${MEMBERS_BENCHED}`);
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

/** Seconds of CPU for one call; undefined when the server does not answer it. */
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

/** As the Go client of release 0.8.0 calls: no compression, with a deadline. */
function callOnce(session: ClientHttp2Session, path: string): Promise<void> {
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

/** User and system time of a process. */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** CPU seconds of a Node.js that does nothing. */
function bareNode(): number {
  const script = "const { user, system } = process.cpuUsage(); console.log((user + system) / 1e6)";
  const runs = Array.from({ length: ROUNDS }, () =>
    Number(execFileSync(process.execPath, ["-e", script], { encoding: "utf8" })),
  );
  return median(runs);
}

function print(plain: Measured, all: readonly Measured[], say: (line: string) => void): boolean {
  const stated = statedRatios();
  const bare = bareNode();
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
        continue;
      }
      const cost = median(one);
      const ratio = cost / base;
      const ratios = one.map((value) => value / base);
      const limit = name === "ours" ? stated.get(call.name) : undefined;
      const missed = limit !== undefined && ratio > limit.ratio + limit.noise;
      if (missed) good = false;
      const goal = limit === undefined ? "" : `${limit.ratio} ± ${limit.noise}${missed ? " MISSED" : ""}`;
      say(
        `| ${call.name} | ${name} | ${(cost * 1e6).toFixed(0)} µs | ${Math.round(bare / cost)} | ${ratio.toFixed(2)} | ${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)} | ${goal} |`,
      );
    }
  }
  return good;
}

interface Stated {
  readonly ratio: number;
  readonly noise: number;
}

/** The rows of docs/performance.md that end with a ratio and its noise, as in `| LeaderQuery | ... | 1.6 ± 0.3 |`. */
function statedRatios(): ReadonlyMap<string, Stated> {
  const text = readFileSync(new URL("../../../docs/performance.md", import.meta.url), "utf8");
  const rows = text.matchAll(/^\| ([^|]+?) \|.*\| ([\d.]+) ± ([\d.]+) \|$/gm);
  return new Map(
    [...rows].map(([, name = "", ratio, noise]) => [name, { ratio: Number(ratio), noise: Number(noise) }]),
  );
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

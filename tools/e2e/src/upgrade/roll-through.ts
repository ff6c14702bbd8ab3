import { delay } from "@daos/sys";
import { type ClusterHost, TestCluster } from "../test-cluster.ts";
import { EVENTUAL_TIMEOUT_MS } from "../test-system.ts";

const HOSTS = 3;
/** The allowed states of a member during a rolling restart. */
const ALLOWED: ReadonlySet<string> = new Set(["joined", "joining", "stopping", "stopped"]);
const LOOK_MS = 300;

interface RollOptions {
  /** Builds of daos-server. A system of the first build is upgraded to each of the others, host by host. */
  readonly programs: readonly [string, ...string[]];
  readonly say: (line: string) => void;
}

/**
 * Takes three access points with etcd from one build of the server to the next, as in docs/admin-guide.md: the leader last, and
 * each host's ranks stopped before its server is restarted. The members are queried all the time.
 *
 * @returns the problems
 */
export async function rollThrough({ programs: [first, ...next], say }: RollOptions): Promise<string[]> {
  const problems = new Set<string>();
  await using cluster = await TestCluster.create({ hosts: HOSTS, accessPoints: HOSTS });
  for (const { system } of cluster.hosts) system.program = first;
  await Promise.all(cluster.hosts.map(({ system }) => system.start()));
  await allJoined(cluster);

  const seen = new Map<string, number>();
  let unanswered = 0;
  const over = new AbortController();
  const watch = (async () => {
    while (!over.signal.aborted) {
      const found = await cluster.query(["system", "query"]);
      if (found === undefined) unanswered++;
      for (const { rank, state, reason } of found?.members ?? []) {
        seen.set(state, (seen.get(state) ?? 0) + 1);
        if (!ALLOWED.has(state)) problems.add(`rank ${rank} was ${state}: ${reason}`);
      }
      await delay(LOOK_MS);
    }
  })();
  try {
    for (const program of next) {
      for (const host of await leaderLast(cluster)) {
        const start = performance.now();
        await restart(cluster, host, program);
        say(`${host.address}: ${program} after ${Math.round(performance.now() - start)} ms`);
      }
    }
  } finally {
    over.abort();
    await watch;
  }
  say(`states seen: ${JSON.stringify(Object.fromEntries(seen))}, queries without an answer: ${unanswered}`);
  return [...problems];
}

async function restart(cluster: TestCluster, { system, address }: ClusterHost, program: string) {
  const { exitCode, stderr, stdout } = await cluster.dmg(["system", "stop", "--rank-hosts", address]);
  if (exitCode !== 0) throw new Error(`stop of ${address}: ${stderr}${stdout}`);
  await system.stop();
  system.program = program;
  await system.start([]);
  await allJoined(cluster);
}

async function leaderLast(cluster: TestCluster): Promise<readonly ClusterHost[]> {
  const found = await cluster.query(["system", "leader-query"]);
  const leader = cluster.at(found?.leader ?? null);
  return [...cluster.hosts.filter((host) => host !== leader), leader];
}

async function allJoined(cluster: TestCluster): Promise<void> {
  const end = performance.now() + EVENTUAL_TIMEOUT_MS;
  for (;;) {
    const found = await cluster.query(["system", "query"]);
    const states = found?.members.map(({ state }) => state) ?? [];
    if (states.length === HOSTS && states.every((state) => state === "joined")) return;
    if (performance.now() > end) throw new Error(`not all members have joined: ${states}`);
    await delay(LOOK_MS);
  }
}

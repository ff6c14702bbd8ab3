// npm run bench:fail-over -- [--rounds N]: measures how long a system has no leader, and a site no ranks, with the default
// times.
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { deadline, delay } from "@daos/sys";
import { type ClusterHost, TestCluster } from "../test-cluster.ts";

const HOSTS = 6;
/** The limit of each measurement, ms. */
const TIMEOUT_MS = 120_000;
const POLL_MS = 20;

const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" } } });
const rounds = Number(values.rounds);
await using cluster = await TestCluster.create({ hosts: HOSTS, accessPoints: 3, failureDetection: "" });
await Promise.all(cluster.hosts.map(({ system }) => system.start()));
await until("all ranks have joined", allJoined);
report("a leader that is killed is replaced, by the new leader's log", await repeat(killLeader));
report("a leader that is stopped is replaced, likewise", await repeat(stopLeader));
report(`a site of ${HOSTS} hosts that is killed: all ranks have joined, processes started at once`, [
  await killSite(),
]);

async function repeat(measure: () => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(await measure());
  return times;
}

async function killLeader(): Promise<number> {
  const old = await leader();
  const since = Date.now();
  old.system.server.child.kill("SIGKILL");
  await old.system.server.end();
  const ms = await newTerm(old, since);
  await old.system.start([]);
  await until("all ranks have joined", allJoined);
  return ms;
}

async function stopLeader(): Promise<number> {
  const old = await leader();
  const since = Date.now();
  const stopping = old.system.stop();
  const ms = await newTerm(old, since);
  await stopping;
  await old.system.start([]);
  await until("all ranks have joined", allJoined);
  return ms;
}

async function killSite(): Promise<number> {
  for (const { system } of cluster.hosts) system.server.child.kill("SIGKILL");
  await Promise.all(cluster.hosts.map(({ system }) => system.server.end()));
  const since = Date.now();
  await Promise.all(cluster.hosts.map(({ system }) => system.start([])));
  await until("all ranks have joined", allJoined);
  return Date.now() - since;
}

/** The time until another access point leads, ms, by its own log. */
async function newTerm(old: ClusterHost, since: number): Promise<number> {
  const others = cluster.hosts.slice(0, 3).filter((host) => host !== old);
  const leads = () => {
    const times = others.flatMap(({ system }) =>
      system.server.output
        .split("\n")
        .filter((line) => line.includes("daos_server.leader: leading"))
        .map((line) => Date.parse(line.slice(0, 24))),
    );
    return times.find((time) => time >= since);
  };
  let time: number | undefined;
  await until("another host leads", async () => {
    time = leads();
    return time !== undefined;
  });
  return (time ?? Number.NaN) - since;
}

async function leader(): Promise<ClusterHost> {
  let address: string | null | undefined;
  await until("there is a leader", async () => {
    address = (await cluster.query(["system", "leader-query"]))?.leader;
    return typeof address === "string";
  });
  return cluster.at(address ?? null);
}

async function allJoined(): Promise<boolean> {
  const members = (await cluster.query(["system", "query"]))?.members ?? [];
  return members.length === HOSTS && members.every(({ state }) => state === "joined");
}

/** @throws TimeoutError */
async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  using limit = deadline(TIMEOUT_MS, what);
  while (!(await isSo())) await delay(POLL_MS, limit);
}

function report(what: string, times: readonly number[]): void {
  const sorted = [...times].sort((a, b) => a - b);
  const seconds = (ms: number | undefined) => `${((ms ?? 0) / 1000).toFixed(1)} s`;
  const median = sorted[Math.floor(sorted.length / 2)];
  process.stdout.write(
    `${what}: median ${seconds(median)}, longest ${seconds(sorted.at(-1))} of ${sorted.length}; load ${loadavg()[0]?.toFixed(1)}\n`,
  );
}

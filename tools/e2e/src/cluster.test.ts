import { readFile, writeFile } from "node:fs/promises";
import { connect } from "node:http2";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type ClusterHost, TestCluster } from "./test-cluster.ts";
import type { DmgEvent, DmgResult } from "./test-system.ts";

/**
 * Eight hosts, three of them access points, and an etcd of three members. All tests share one cluster, because it starts
 * slowly.
 */
let cluster: TestCluster;
/** The uuid of each rank when it was first seen. It must never change. */
const identities = new Map<number, string>();

const WAIT = { timeout: 150_000, interval: 500 };
const HOSTS = 8;
const HOUR = 3_600_000;
/** The lease of this cluster is 10 s; an idle machine needs about 12 s. */
const FAIL_OVER_MS = 40_000;

beforeAll(async () => {
  cluster = await TestCluster.create({ hosts: HOSTS, accessPoints: 3 });
  await Promise.all(cluster.hosts.map(({ system }) => system.start()));
}, 600_000);

// A failed test may leave hosts and etcd in any state.
afterEach(() => cluster.restore(), 300_000);

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
}, 600_000);

/** The members by rank. Checks that each rank has one uuid, the same as before. */
async function members(): Promise<DmgResult["members"]> {
  const found = (await cluster.query(["system", "query"]))?.members;
  if (found === undefined) throw new Error("no host has answered");
  expect(new Set(found.map(({ uuid }) => uuid)).size).toBe(found.length);
  for (const { rank, uuid } of found) {
    expect(identities.get(rank) ?? uuid, `identity of rank ${rank}`).toBe(uuid);
    identities.set(rank, uuid);
  }
  return found;
}

async function states(): Promise<string> {
  return (await members()).map(({ rank, state }) => `${rank} ${state}`).join(", ");
}

const allJoined = Array.from({ length: HOSTS }, (_, rank) => `${rank} joined`).join(", ");

/** The leader. Repeats the query until there is one. */
async function leader(): Promise<ClusterHost> {
  let address: string | null | undefined;
  const ask = async () => {
    address = (await cluster.query(["system", "leader-query"]))?.leader;
    return typeof address;
  };
  await expect.poll(ask, WAIT).toBe("string");
  return cluster.at(address ?? null);
}

/** Makes an access point the leader by stopping the others until it leads. */
async function letLead(host: ClusterHost): Promise<void> {
  if ((await leader()) === host) return;
  const others = cluster.hosts.slice(0, 3).filter((one) => one !== host);
  await Promise.all(others.map(({ system }) => system.stop()));
  expect(await leader()).toBe(host);
  await Promise.all(others.map(({ system }) => system.start([])));
  await expect.poll(states, WAIT).toBe(allJoined);
}

/** The time of the last matching line in a host's log, ms since 1970. Its clock must not have jumped since. */
function lastTime({ system, clock }: ClusterHost, text: string): number {
  const line = system.server.output.split("\n").findLast((one) => one.includes(text));
  return line === undefined ? Number.NaN : Date.parse(line.slice(0, 24)) - clock.offsetMs;
}

/** The time until another host led, ms, by the log of the new leader. */
async function newLeader(
  old: ClusterHost,
  since: number,
): Promise<{ readonly host: ClusterHost; readonly ms: number }> {
  const others = cluster.hosts.slice(0, 3).filter((host) => host !== old);
  const leads = () => others.find((host) => lastTime(host, "daos_server.leader: leading") >= since);
  await expect.poll(leads, { timeout: 2 * FAIL_OVER_MS, interval: 50 }).toBeDefined();
  const host = leads() as ClusterHost;
  return { host, ms: lastTime(host, "daos_server.leader: leading") - since };
}

/** The fabric addresses in a host's answer to an agent: a gRPC call without TLS and with an empty request. */
async function attachUris({ address }: ClusterHost): Promise<readonly string[]> {
  const session = connect(`http://${address}`);
  try {
    const call = session.request({
      ":method": "POST",
      ":path": "/mgmt.MgmtSvc/GetAttachInfo",
      "content-type": "application/grpc",
      te: "trailers",
    });
    call.end(Buffer.alloc(5));
    const chunks = (await call.toArray()) as readonly Buffer[];
    return (
      Buffer.concat(chunks)
        .toString("latin1")
        .match(/ofi\+[\x20-\x7e]+?:\d+/g) ?? []
    );
  } finally {
    session.destroy();
  }
}

async function rankOn(host: ClusterHost): Promise<number> {
  const found = (await members()).find(({ address }) => address === host.address);
  if (found === undefined) throw new Error(`no rank on ${host.address}`);
  return found.rank;
}

/** Excludes a rank, and clears the exclusion: two changes that must not be lost. */
async function change(rank: number): Promise<void> {
  for (const args of [
    ["system", "exclude", "--ranks", `${rank}`, "--force"],
    ["system", "clear-exclude", "--ranks", `${rank}`],
    ["system", "start", "--ranks", `${rank}`],
  ]) {
    const ended = await cluster.dmg(args);
    expect(ended, `${args.join(" ")}: ${ended.stderr}${ended.stdout}`).toMatchObject({ exitCode: 0 });
  }
  expect((await members()).find((one) => one.rank === rank)).toMatchObject({ state: "joined" });
}

/** Kills the engine of a host, and waits until it serves again. */
async function crash(host: ClusterHost): Promise<void> {
  const own = async () => (await members()).find(({ address }) => address === host.address);
  const incarnation = ((await own())?.incarnation ?? 0) + 1;
  process.kill(host.system.enginePid(), "SIGKILL");
  await expect.poll(own, WAIT).toMatchObject({ state: "joined", incarnation });
}

/** The events during `work`, from `dmg system events --follow`. */
async function eventsDuring(work: () => Promise<void>): Promise<readonly DmgEvent[]> {
  const old = (await cluster.query(["system", "events"]))?.events.at(-1)?.number ?? 0;
  const dmg = cluster.startDmg(["--json", "system", "events", "--follow"]);
  try {
    await work();
    const last = (await cluster.query(["system", "events"]))?.events.at(-1)?.number ?? Number.NaN;
    const shown = () => [...dmg.output.matchAll(/"number":\s*(\d+)/g)].map(([, number]) => Number(number));
    await expect.poll(shown, WAIT).toContain(last);
  } finally {
    dmg.child.kill("SIGINT");
  }
  const lines = (await dmg.end()).stdout.trim().split("\n");
  return lines.map((line) => JSON.parse(line) as DmgEvent).filter(({ number }) => number > old);
}

describe("three access points", { timeout: 600_000 }, () => {
  it("elect a leader that every host knows, and give each engine a rank", async () => {
    await expect.poll(states, WAIT).toBe(allJoined);
    const { address } = await leader();
    for (const host of cluster.hosts) {
      const known = await cluster.query(["system", "leader-query"], [host]);
      expect(known?.leader).toBe(address);
      expect([...(known?.replicas ?? [])].sort()).toEqual(
        cluster.hosts
          .slice(0, 3)
          .map((ap) => ap.address)
          .sort(),
      );
    }
    const { members: seen } = (await cluster.query(["system", "query"], [cluster.host(7)])) as DmgResult;
    expect(seen).toHaveLength(HOSTS);
    expect((await cluster.dmg(["pool", "create", "-s", "32M"])).exitCode).toBe(0);
  });

  it("replace a killed leader, and accept it again as a follower", async () => {
    const old = await leader();
    const rank = await rankOn(old);
    const before = await members();
    const since = Date.now();
    old.system.server.child.kill("SIGKILL");
    await old.system.server.end();
    const { ms } = await newLeader(old, since);
    expect(ms, "time without a leader").toBeLessThan(FAIL_OVER_MS);
    expect((await members()).map(({ uuid }) => uuid)).toEqual(before.map(({ uuid }) => uuid));
    await expect
      .poll(async () => (await members()).find((one) => one.rank === rank)?.state, WAIT)
      .toBe("unresponsive");
    await old.system.start([]);
    await expect.poll(states, WAIT).toBe(allJoined);
    expect((await members()).find((one) => one.rank === rank)?.incarnation).toBe(
      (before.find((one) => one.rank === rank)?.incarnation ?? 0) + 1,
    );
    // The engine with the pools must be reachable under every leader.
    expect((await cluster.query(["system", "list-pools"]))?.pools).toHaveLength(1);
  });

  it("elect another leader at once when the leader stops in order", async () => {
    const old = await leader();
    const since = Date.now();
    const stopping = old.system.stop();
    const { ms } = await newLeader(old, since);
    expect(ms).toBeLessThan(FAIL_OVER_MS);
    await stopping;
    // The host reported its stop, so its rank is stopped, not unresponsive.
    const stopped = { state: "stopped", reason: "host is going down" };
    const on = async ({ address }: ClusterHost) => (await members()).find((one) => one.address === address);
    expect(await on(old)).toMatchObject(stopped);
    const host = cluster.host(7);
    const events = await eventsDuring(async () => {
      await host.system.stop();
      expect(await on(host)).toMatchObject(stopped);
      // The engine that all joins need may belong to the old leader.
      await Promise.all([old, host].map(({ system }) => system.start([])));
      await expect.poll(states, WAIT).toBe(allJoined);
    });
    expect(events.filter(({ severity }) => severity === "error")).toEqual([]);
  });

  it("keep the leader when wall clocks jump", async () => {
    const before = await members();
    const leading = await leader();
    const follower = cluster.hosts.slice(0, 3).find((host) => host !== leading) as ClusterHost;
    const host = cluster.host(7);
    const [rank, other] = [await rankOn(host), await rankOn(follower)];
    const terms = () =>
      cluster.hosts.map(({ system }) => system.server.output.split("daos_server.leader: leading").length);
    const termsBefore = terms();
    const start = Date.now();
    const events = await eventsDuring(async () => {
      await leading.clock.set(HOUR);
      await change(rank);
      await leading.clock.set(-HOUR);
      await follower.clock.set(HOUR);
      await host.clock.set(-HOUR);
      await Promise.all([crash(host), crash(follower)]);
      await follower.clock.set(-HOUR);
      await host.clock.set(HOUR);
      await change(rank);
    });
    // Only the requested changes happened, and no other host leads.
    const happened = (of: number) => events.filter((one) => one.rank === of).map(({ kind }) => kind);
    const changed = ["member_excluded", "member_exclusion_cleared", "member_restarted"];
    const crashed = ["engine_died", "member_restarted"];
    expect(events.filter((one) => one.rank !== rank && one.rank !== other)).toEqual([]);
    expect(happened(rank)).toEqual([...changed, ...crashed, ...changed]);
    expect(happened(other)).toEqual(crashed);
    expect(await leader()).toBe(leading);
    expect(terms()).toEqual(termsBefore);
    const after = await members();
    const restarts = after.map(({ incarnation }, index) => incarnation - (before[index]?.incarnation ?? 0));
    expect(restarts).toEqual(after.map((one) => (one.rank === rank ? 3 : one.rank === other ? 1 : 0)));
    expect(await states()).toBe(allJoined);
    // The clocks have jumped: events have the leader's time, and each log has its host's time.
    const hours = events.map(({ time }) => Math.round((Date.parse(time) - start) / HOUR));
    expect(hours).toEqual([1, 1, 1, -1, -1, -1, -1, -1, -1, -1]);
    expect(Math.abs(lastTime(host, "engine started") - Date.now())).toBeLessThan(HOUR / 2);
  });

  it("detect that a host stops responding, and that it responds again", async () => {
    const host = cluster.host(6);
    const rank = await rankOn(host);
    const state = async () => (await members()).find((one) => one.rank === rank)?.state;
    host.system.server.child.kill("SIGSTOP");
    // The failure detector does not use the wall clock.
    await (await leader()).clock.set(-HOUR);
    await expect.poll(state, WAIT).toBe("unresponsive");
    host.system.server.child.kill("SIGCONT");
    await expect.poll(state, WAIT).toBe("joined");
  });

  it("continue when a member of etcd dies", async () => {
    await cluster.etcd.members[1]?.kill();
    await expect.poll(states, WAIT).toBe(allJoined);
    await change(await rankOn(cluster.host(7)));
    cluster.etcd.members[1]?.restart();
  });

  // The first access point has the data plane's only replica, so joins need its engine although its server does not lead.
  it("replace a leader that loses its connection to etcd, and which then changes nothing", async () => {
    const old = cluster.host(0);
    await letLead(old);
    const losses = () => old.system.server.output.split("not leading any more").length;
    const before = losses();
    const since = Date.now();
    old.cutFromEtcd();
    // A leader does not use the wall clock for its term either.
    await old.clock.set(-HOUR);
    const { ms } = await newLeader(old, since);
    expect(ms, "time without a leader").toBeLessThan(FAIL_OVER_MS);
    await expect.poll(losses, WAIT).toBeGreaterThan(before);
    const gone = lastTime(old, "not leading any more") - since;
    expect(gone, "the old leader knew before").toBeLessThanOrEqual(ms);
    expect((await cluster.query(["system", "leader-query"], [old]))?.leader).toBeNull();
    await change(await rankOn(cluster.host(7)));
    old.restoreWireToEtcd();
    await expect.poll(states, WAIT).toBe(allJoined);
    const known = async () => (await cluster.query(["system", "leader-query"], [old]))?.leader;
    await expect.poll(known, WAIT).toBe((await leader()).address);
  });

  it("have no leader while etcd is down, and lose nothing", async () => {
    const before = await members();
    await Promise.all(cluster.etcd.members.map((member) => member.kill()));
    await expect.poll(async () => (await cluster.query(["system", "leader-query"]))?.leader, WAIT).toBeNull();
    const refused = await cluster.dmg(["--timeout", "20s", "system", "query"]);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toContain("leader");
    for (const member of cluster.etcd.members) member.restart();
    await expect.poll(() => states().catch(String), WAIT).toBe(allJoined);
    const after = await members();
    expect(after.map(({ uuid, incarnation }) => [uuid, incarnation])).toEqual(
      before.map(({ uuid, incarnation }) => [uuid, incarnation]),
    );
  });

  it("let clients attach through every access point while the first one is down, and name the host that pools need", async () => {
    const [first, ...others] = cluster.hosts.slice(0, 3) as [ClusterHost, ClusterHost, ClusterHost];
    for (const host of [first, ...others])
      await expect.poll(() => attachUris(host).catch(String), WAIT).toHaveLength(HOSTS);
    const lost = await rankOn(first);
    first.system.server.child.kill("SIGKILL");
    await first.system.server.end();
    await expect
      .poll(async () => (await members().catch(() => [])).find(({ rank }) => rank === lost)?.state, WAIT)
      .toBe("unresponsive");
    for (const host of others)
      await expect.poll(() => attachUris(host).catch(String), WAIT).toHaveLength(HOSTS - 1);
    const refused = await cluster.dmg(["pool", "create", "-s", "32M"], others);
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toContain(`bring back localhost:${first.system.port} and its first engine`);
    await first.system.start([]);
    await expect.poll(states, WAIT).toBe(allJoined);
    expect((await cluster.dmg(["pool", "create", "-s", "32M"])).exitCode).toBe(0);
  });

  it("can be added and removed while the system runs", async () => {
    const { system, address } = cluster.host(3);
    const replicas = async () =>
      (await cluster.query(["system", "leader-query"], [cluster.host(7)]))?.replicas ?? [];
    const plain = await readFile(system.configPath, "utf8");
    await writeFile(
      system.configPath,
      plain.replace(/access_points: \[/, `access_points: ["localhost:${system.port}",`),
    );
    await system.stop();
    await system.start([]);
    await expect.poll(replicas, WAIT).toHaveLength(4);
    expect(await replicas()).toContain(address);
    await expect.poll(states, WAIT).toBe(allJoined);
    await writeFile(system.configPath, plain);
    await system.stop();
    await system.start([]);
    await expect.poll(replicas, WAIT).toHaveLength(3);
    await expect.poll(states, WAIT).toBe(allJoined);
  });
});

import { servingProblem } from "@daos/instance";
import { Random } from "@daos/sys/testing";
import type { PoolsResult } from "@daos/system";
import { Administrator } from "./administrator.ts";
import { checkConvergence } from "./check-convergence.ts";
import { checkPools } from "./check-pools.ts";
import { FaultInjector } from "./fault-injector.ts";
import { PoolAdministrator } from "./pool-administrator.ts";
import type { SimHost } from "./sim-host.ts";
import { World, type WorldOptions } from "./world.ts";

export interface SimulateOptions extends WorldOptions {
  /** Faults are injected for this long, ms of virtual time. */
  readonly faultsMs: number;
  /** Changes the world before the run, to test that the checks notice it. */
  readonly prepare?: ((world: World) => void) | undefined;
}

/** The result of a run. */
export interface Outcome {
  readonly seed: number;
  /** A hash of the history, equal for equal seeds. */
  readonly hash: string;
  readonly violations: readonly string[];
  readonly commits: number;
  readonly changes: number;
  readonly members: number;
  readonly virtualMs: number;
}

const UP_MS = 30_000;
const CALM_MS = 150_000;
const LOOK_MS = 5_000;
const STOP_MS = 30_000;
/**
 * The stop of the engines, which includes the connections to hosts that are off. An engine that does not answer is killed
 * later.
 */
const KILL_MS = 9_000;
const HUNG_MS = 27_000;

/**
 * Starts a system, injects faults, waits until it has settled, and stops it while some hosts are dead. The seed determines the
 * history.
 */
export async function simulate(options: SimulateOptions): Promise<Outcome> {
  const world = new World(options);
  const { time, history, random } = world;
  options.prepare?.(world);
  const administrator = new Administrator(world);
  const broken = () => history.violations.length > 0;
  const run = async (ms: number) => {
    const end = time.now + ms;
    while (time.now < end && !broken()) {
      await time.run(Math.min(end, time.now + LOOK_MS), broken);
      checkLeaders(world);
    }
  };

  for (const host of world.hosts) time.after(random.whole(0, 2_000), () => host.powerOn());
  await run(UP_MS);
  if (!broken() && history.list().length !== options.hosts * options.enginesPerHost)
    history.violate(`only ${history.list().length} engines have joined`);
  if (!broken()) checkConvergence(world);

  const injector = new FaultInjector(world, new Random(random.whole(0, 2 ** 32)), administrator);
  const pools = new PoolAdministrator(world, new Random(random.whole(0, 2 ** 32)));
  if (options.faultsMs > 0) {
    injector.start();
    pools.start();
    await run(options.faultsMs);
    injector.stop();
    pools.stop();
    formatErased(world);
    await run(CALM_MS / 2);
    // Engines in a crash loop have given up by now.
    void injector.restoreReplicas();
    formatErased(world);
    await run(CALM_MS / 2);
    if (!broken()) checkConvergence(world);
    if (!broken()) await lookAtPools(world, pools, run);
  }
  if (!broken()) await stopWithDeadHosts(world, administrator, run);
  return {
    seed: options.seed,
    hash: history.hash,
    violations: history.violations,
    commits: history.commits,
    changes: history.changes,
    members: history.list().length,
    virtualMs: time.now,
  };
}

/** Checks that a leader that is not committing has the same members as the store. */
function checkLeaders(world: World): void {
  const { leader, options, etcd, history } = world;
  const server = leader?.server;
  if (leader === undefined || server === undefined) return;
  if (options.mode === "etcd" && etcd.leader?.address.host !== leader.address.host) return;
  try {
    const membership = server.leadership.membership();
    if (membership.idle) history.checkLeader(membership.list(), `the leader ${leader.name}`);
  } catch {
    // The term has just begun or just ended.
  }
}

/** Lists the pools, which updates the registry, and checks them. */
async function lookAtPools(
  world: World,
  administrator: PoolAdministrator,
  run: (ms: number) => Promise<void>,
): Promise<void> {
  let listed: PoolsResult | undefined;
  void administrator.list().then((found) => {
    listed = found;
  });
  await run(LOOK_MS);
  checkPools(world, listed);
}

/** An administrator formats erased storage. */
function formatErased(world: World): void {
  const { signal } = new AbortController();
  for (const { server } of world.hosts) {
    for (const instance of server?.harness.instances ?? [])
      if (instance.state.kind === "awaiting format") void instance.format({ reformat: true, signal });
  }
}

/** Checks that all dead hosts together cost a single deadline. */
async function stopWithDeadHosts(
  world: World,
  administrator: Administrator,
  run: (ms: number) => Promise<void>,
): Promise<void> {
  const { random, hosts, accessPoints, history, time } = world;
  const plain = hosts.slice(accessPoints.length).filter((host) => isInService(host, world));
  const dead = random.sample(plain, Math.ceil(hosts.length / 100));
  for (const host of dead) host.unresponsive = true;
  const hangs = hosts.some(({ server }) => server?.engines.some(({ process }) => process?.hung === true));
  const begun = time.now;
  let took: number | undefined;
  void administrator.run("stop", [], { force: false, timeoutMs: STOP_MS }).then((failed) => {
    took = failed === undefined ? Number.NaN : time.now - begun;
  });
  for (let waited = 0; waited < 4 * STOP_MS && took === undefined; waited += LOOK_MS) await run(LOOK_MS);
  if (took === undefined || !(took < STOP_MS + (hangs ? HUNG_MS : KILL_MS))) {
    history.violate(`the stop of the system with ${dead.length} dead hosts has taken ${took} ms`);
    return;
  }
  for (const host of dead) host.unresponsive = false;
  await run(STOP_MS);
  for (const { server, name } of hosts) {
    for (const { state, index, superblock } of server?.harness.instances ?? []) {
      if (dead.some((host) => host.server === server)) continue;
      const member = history.get(superblock?.uuid ?? "");
      if (world.copied.has(superblock?.uuid ?? "")) continue;
      if (state.kind === "serving" && member?.state !== "excluded")
        history.violate(`engine ${index} of ${name} still serves after the system was stopped`);
    }
  }
}

/**
 * The first step of a stop finds that such a host is dead. A host without members in service is contacted only in the second
 * step.
 */
function isInService({ server }: SimHost, { history }: World): boolean {
  return (
    server?.harness.instances.every(
      ({ state, superblock }) =>
        state.kind === "serving" &&
        servingProblem(state) === undefined &&
        history.get(superblock?.uuid ?? "")?.state === "joined",
    ) === true
  );
}

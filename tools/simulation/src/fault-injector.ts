import type { Random } from "@daos/sys/testing";
import type { Administrator } from "./administrator.ts";
import type { SimHost } from "./sim-host.ts";
import type { SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

/** One fault, or one action of an administrator. */
type InjectedFault = (injector: FaultInjector) => void;

const DAY_MS = 86_400_000;

/** Injects random faults until it is stopped. It then repairs everything except permanent losses. */
export class FaultInjector {
  readonly world: World;
  readonly random: Random;
  readonly #administrator: Administrator;
  readonly #process: SimProcess;
  #active = true;
  /** The repairs of the current faults. */
  readonly #repairs = new Set<() => void>();

  constructor(world: World, random: Random, administrator: Administrator) {
    this.world = world;
    this.random = random;
    this.#administrator = administrator;
    this.#process = world.outside();
  }

  start(): void {
    const { random, world } = this;
    const next = () => {
      if (!this.#active) return;
      const picked = random.next() * TOTAL;
      let sum = 0;
      for (const [weight, inject] of FAULTS) {
        sum += weight;
        if (picked >= sum) continue;
        inject(this);
        break;
      }
      world.time.after(random.whole(200, 4_000), next);
    };
    next();
  }

  /** Stops injecting faults, and repairs the current ones. */
  stop(): void {
    this.#active = false;
    for (const repair of [...this.#repairs]) repair();
    void this.restoreReplicas();
  }

  /** No new engine can join without a majority of the data plane's replicas, so an administrator brings them back. */
  async restoreReplicas(): Promise<void> {
    const addresses = new Set(this.world.accessPoints.map(({ host }) => host));
    const members = this.world.history.list().filter(({ address }) => addresses.has(address.host));
    const ranks = members.map(({ rank }) => rank);
    const options = { force: false, timeoutMs: 5_000 };
    for (const command of ["clearExclude", "start"] as const) {
      for (let tries = 0; tries < 20; tries++) {
        if ((await this.#administrator.run(command, ranks, options)) !== undefined) break;
        await this.#process.delay(1_000, {});
      }
    }
  }

  /** Runs `repair` after a random delay, or when the injection ends. */
  later(fromMs: number, toMs: number, repair: () => void): void {
    const once = () => {
      if (this.#repairs.delete(once)) repair();
    };
    this.#repairs.add(once);
    this.world.time.after(this.random.whole(fromMs, toMs), once);
  }

  note(text: string): void {
    this.world.history.note(`# ${text}`);
  }

  anyHost(): SimHost {
    return this.random.pick(this.world.hosts);
  }

  /** A host without a replica of the management service. */
  plainHost(): SimHost {
    return this.random.pick(this.world.hosts.slice(this.world.accessPoints.length));
  }

  leaderOrAny(): SimHost {
    return this.random.chance(0.4) ? (this.world.leader ?? this.anyHost()) : this.anyHost();
  }

  command(...args: Parameters<Administrator["run"]>): void {
    void this.#administrator.run(...args);
  }

  someRanks(): readonly number[] {
    const ranks = this.world.history.list().map(({ rank }) => rank);
    const count = this.random.chance(0.1)
      ? ranks.length
      : this.random.whole(1, 1 + Math.ceil(ranks.length / 16));
    return this.random.sample(ranks, count);
  }
}

const FAULTS: readonly (readonly [number, InjectedFault])[] = [
  [6, crashEngines],
  [3, badEngine],
  [3, hangEngine],
  [4, killServer],
  [2, restartServer],
  [4, powerOff],
  [2, stopResponding],
  [3, partition],
  [3, pause],
  [3, cutOffFromStore],
  [2, storeDown],
  [3, lossy],
  [2, jumpClock],
  [2, move],
  [2, readdress],
  [1, swap],
  [1, copyStorage],
  [1, replaceStorage],
  [3, commandSome("stop")],
  [3, commandSome("start")],
  [2, commandSome("exclude")],
  [2, commandSome("clearExclude")],
  [2, commandSome("erase")],
];
const TOTAL = FAULTS.reduce((sum, [weight]) => sum + weight, 0);

function crashEngines(injector: FaultInjector): void {
  for (const engine of injector.anyHost().server?.engines ?? [])
    if (injector.random.chance(0.4)) engine.crash();
}

function badEngine(injector: FaultInjector): void {
  const { random } = injector;
  const host = injector.anyHost();
  const index = random.whole(0, host.disks.length);
  host.engineFaults[index] = random.chance(0.3)
    ? { stuck: true }
    : { diesAfterMs: random.whole(100, 20_000) };
  injector.note(`${host.name} engine ${index} is bad: ${JSON.stringify(host.engineFaults[index])}`);
  host.server?.engines[index]?.crash();
  injector.later(10_000, 90_000, () => {
    delete host.engineFaults[index];
  });
}

function hangEngine(injector: FaultInjector): void {
  const { server, replica } = injector.anyHost();
  const instances = server?.harness.instances ?? [];
  const index = injector.random.whole(0, Math.max(1, instances.length));
  const process = server?.engines[index]?.process;
  // The wait for an engine that hangs during its set-up is longer than the time without faults.
  if (process === undefined || instances[index]?.state.kind !== "serving") return;
  process.hung = true;
  // Some engines never answer again. They are reported, and an administrator must act. Engines with replicas recover, because
  // without them no engine could join.
  if (replica !== "none" || injector.random.chance(0.5))
    injector.later(5_000, 90_000, () => {
      process.hung = false;
    });
}

function killServer(injector: FaultInjector): void {
  const host = injector.leaderOrAny();
  injector.note(`kill the server of ${host.name}`);
  host.killServer();
  injector.later(500, 15_000, () => host.startServer());
}

function restartServer(injector: FaultInjector): void {
  const host = injector.leaderOrAny();
  injector.note(`restart the server of ${host.name}`);
  host.server?.shutDown();
}

function powerOff(injector: FaultInjector): void {
  const host = injector.leaderOrAny();
  if (!host.on) return;
  injector.note(`${host.name} dies`);
  host.powerOff();
  // Some hosts stay dead, but never a host that the whole system needs.
  if (host.replica === "none" && injector.random.chance(0.2)) return;
  injector.later(2_000, 60_000, () => host.powerOn());
}

function stopResponding(injector: FaultInjector): void {
  const host = injector.anyHost();
  injector.note(`${host.name} stops responding`);
  host.unresponsive = true;
  injector.later(2_000, 40_000, () => {
    host.unresponsive = false;
  });
}

function partition(injector: FaultInjector): void {
  const { random, world } = injector;
  const { parts } = world.network;
  const count = random.chance(0.5) ? 1 : random.whole(1, world.hosts.length);
  const hosts = random.sample(world.hosts, count).map(({ address }) => address.host);
  if (random.chance(0.4) && world.leader !== undefined) hosts.push(world.leader.address.host);
  const part = world.time.now + 1;
  injector.note(`cut off ${hosts.length}: ${hosts.slice(0, 3)}`);
  for (const host of hosts) parts.set(host, part);
  injector.later(1_000, 40_000, () => {
    for (const host of hosts) if (parts.get(host) === part) parts.delete(host);
  });
}

function pause(injector: FaultInjector): void {
  const host = injector.leaderOrAny();
  const ms = injector.random.whole(200, 9_000);
  injector.note(`${host.name} pauses for ${ms} ms`);
  host.server?.process.pause(ms);
}

function cutOffFromStore(injector: FaultInjector): void {
  const { etcd, leader, accessPoints } = injector.world;
  const address =
    (injector.random.chance(0.7) ? leader?.address : undefined) ?? injector.random.pick(accessPoints);
  injector.note(`cut ${address.host} off from etcd`);
  etcd.cutOff.add(address.host);
  injector.later(1_000, 20_000, () => void etcd.cutOff.delete(address.host));
}

function storeDown(injector: FaultInjector): void {
  const { etcd } = injector.world;
  injector.note("the store is down");
  etcd.setAvailable(false);
  injector.later(1_000, 20_000, () => etcd.setAvailable(true));
}

function lossy(injector: FaultInjector): void {
  const { etcd, network } = injector.world;
  if (injector.random.chance(0.5)) {
    network.lossy = injector.random.next() * 0.2;
    network.slowest = injector.random.whole(3, 400);
  } else etcd.lossy = injector.random.next() * 0.3;
  injector.later(1_000, 30_000, () => {
    network.lossy = 0;
    network.slowest = 3;
    etcd.lossy = 0;
  });
}

function jumpClock(injector: FaultInjector): void {
  const { wall } = injector.leaderOrAny();
  wall.offsetMs += Math.round((injector.random.next() - 0.5) * 2 * DAY_MS);
}

function move(injector: FaultInjector): void {
  const host = injector.plainHost();
  const address = injector.world.newAddress();
  injector.note(`${host.name} moves to ${address.host}`);
  host.move(address);
}

function readdress(injector: FaultInjector): void {
  const host = injector.plainHost();
  const address = injector.world.newAddress();
  injector.note(`the address of ${host.name} becomes ${address.host} under its server`);
  host.readdress(address);
}

function swap(injector: FaultInjector): void {
  const [one, other] = [injector.plainHost(), injector.plainHost()];
  if (one === other) return;
  injector.note(`${one.name} and ${other.name} swap addresses`);
  const { address } = one;
  one.move(other.address);
  other.move(address);
  if (one.on) injector.world.network.attach(one);
}

function copyStorage(injector: FaultInjector): void {
  const [from, to] = [injector.plainHost(), injector.plainHost()];
  const index = injector.random.whole(0, to.disks.length);
  const source = from.disks[index]?.superblock;
  const disk = to.disks[index];
  if (from === to || source === undefined || disk === undefined) return;
  injector.note(`engine ${index} of ${from.name} is copied to ${to.name}: ${source.uuid}`);
  to.killServer();
  injector.world.copied.add(source.uuid);
  disk.superblock = source;
  injector.later(500, 5_000, () => to.startServer());
}

function replaceStorage(injector: FaultInjector): void {
  const host = injector.plainHost();
  injector.note(`${host.name} gets new storage`);
  host.killServer();
  for (const disk of host.disks) disk.superblock = undefined;
  injector.later(500, 5_000, () => host.startServer());
}

function commandSome(command: Parameters<Administrator["run"]>[0]): InjectedFault {
  return (injector) => {
    const { random, world } = injector;
    const timeoutMs = random.pick([2_000, 30_000]);
    const force = random.chance(0.3);
    if (command !== "erase") {
      injector.command(command, injector.someRanks(), { force, timeoutMs });
      return;
    }
    // Force is for lost hosts. An administrator does not erase members that are only temporarily unreachable.
    const dead = new Set(world.hosts.filter(({ on }) => !on).map(({ address }) => address.host));
    const members = world.history.list().filter(({ state, address }) => {
      const own = world.network.at(address.host);
      if (own !== undefined && own.replica !== "none") return false;
      return force
        ? dead.has(address.host)
        : state === "stopped" || state === "excluded" || state === "errored";
    });
    const ranks = random.sample(members, random.whole(1, 8)).map(({ rank }) => rank);
    if (ranks.length > 0) injector.command("erase", ranks, { force, timeoutMs });
  };
}

import type { Administrator } from "./administrator.ts";
import type { Random } from "./random.ts";
import type { SimHost } from "./sim-host.ts";
import type { SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

/** One thing that goes wrong, or that somebody does. */
type Trouble = (chaos: Chaos) => void;

const DAY_MS = 86_400_000;

/** Makes trouble, by chance, until it is told to stop; then everything is put right but for what is lost for good. */
export class Chaos {
  readonly world: World;
  readonly random: Random;
  readonly #administrator: Administrator;
  readonly #process: SimProcess;
  #active = true;
  /** What puts right again what is wrong at the moment. */
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
      for (const [weight, trouble] of TROUBLES) {
        sum += weight;
        if (picked >= sum) continue;
        trouble(this);
        break;
      }
      world.time.after(random.whole(200, 4_000), next);
    };
    next();
  }

  /** No more trouble. What can come back comes back. */
  stop(): void {
    this.#active = false;
    for (const repair of [...this.#repairs]) repair();
    void this.restoreReplicas();
  }

  /** Without a majority of the data plane's replicas no new engine can join: an administrator brings them back. */
  async restoreReplicas(): Promise<void> {
    const addresses = new Set(this.world.accessPoints.map(({ host }) => host));
    const members = this.world.ledger.list().filter(({ address }) => addresses.has(address.host));
    const ranks = members.map(({ rank }) => rank);
    const options = { force: false, timeoutMs: 5_000 };
    for (const command of ["clearExclude", "start"] as const) {
      for (let tries = 0; tries < 20; tries++) {
        if ((await this.#administrator.run(command, ranks, options)) !== undefined) break;
        await this.#process.delay(1_000, {});
      }
    }
  }

  /** Does `repair` after a while, or when the trouble ends. */
  later(fromMs: number, toMs: number, repair: () => void): void {
    const once = () => {
      if (this.#repairs.delete(once)) repair();
    };
    this.#repairs.add(once);
    this.world.time.after(this.random.whole(fromMs, toMs), once);
  }

  note(text: string): void {
    this.world.ledger.note(`# ${text}`);
  }

  anyHost(): SimHost {
    return this.random.pick(this.world.hosts);
  }

  /** One without a replica of the management service. */
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
    const ranks = this.world.ledger.list().map(({ rank }) => rank);
    const count = this.random.chance(0.1)
      ? ranks.length
      : this.random.whole(1, 1 + Math.ceil(ranks.length / 16));
    return this.random.sample(ranks, count);
  }
}

const TROUBLES: readonly (readonly [number, Trouble])[] = [
  [6, crashEngines],
  [3, badEngine],
  [3, hangEngine],
  [4, killServer],
  [2, restartServer],
  [4, powerOff],
  [2, silence],
  [3, partition],
  [3, pause],
  [3, cutOffFromStore],
  [2, storeDown],
  [3, lossy],
  [2, jumpClock],
  [2, move],
  [1, swap],
  [1, copyStorage],
  [1, replaceStorage],
  [3, commandSome("stop")],
  [3, commandSome("start")],
  [2, commandSome("exclude")],
  [2, commandSome("clearExclude")],
  [2, commandSome("erase")],
];
const TOTAL = TROUBLES.reduce((sum, [weight]) => sum + weight, 0);

function crashEngines(chaos: Chaos): void {
  for (const engine of chaos.anyHost().server?.engines ?? []) if (chaos.random.chance(0.4)) engine.crash();
}

function badEngine(chaos: Chaos): void {
  const { random } = chaos;
  const host = chaos.anyHost();
  const index = random.whole(0, host.disks.length);
  host.moods[index] = random.chance(0.3) ? { stuck: true } : { diesAfterMs: random.whole(100, 20_000) };
  chaos.note(`${host.name} engine ${index} is bad: ${JSON.stringify(host.moods[index])}`);
  host.server?.engines[index]?.crash();
  chaos.later(10_000, 90_000, () => {
    delete host.moods[index];
  });
}

function hangEngine(chaos: Chaos): void {
  const { server, replica } = chaos.anyHost();
  const instances = server?.harness.instances ?? [];
  const index = chaos.random.whole(0, Math.max(1, instances.length));
  const process = server?.engines[index]?.process;
  // One that hangs while it is set up is waited for longer than the calm lasts.
  if (process === undefined || instances[index]?.state.kind !== "serving") return;
  process.hung = true;
  // Some never answer again: they are told of, and left to the administrator. Without replicas nobody could join.
  if (replica !== "none" || chaos.random.chance(0.5))
    chaos.later(5_000, 90_000, () => {
      process.hung = false;
    });
}

function killServer(chaos: Chaos): void {
  const host = chaos.leaderOrAny();
  chaos.note(`kill the server of ${host.name}`);
  host.killServer();
  chaos.later(500, 15_000, () => host.startServer());
}

function restartServer(chaos: Chaos): void {
  const host = chaos.leaderOrAny();
  chaos.note(`restart the server of ${host.name}`);
  host.server?.shutDown();
}

function powerOff(chaos: Chaos): void {
  const host = chaos.leaderOrAny();
  if (!host.on) return;
  chaos.note(`${host.name} dies`);
  host.powerOff();
  // Some stay dead, but never one that the whole system needs.
  if (host.replica === "none" && chaos.random.chance(0.2)) return;
  chaos.later(2_000, 60_000, () => host.powerOn());
}

function silence(chaos: Chaos): void {
  const host = chaos.anyHost();
  chaos.note(`${host.name} is silent`);
  host.silent = true;
  chaos.later(2_000, 40_000, () => {
    host.silent = false;
  });
}

function partition(chaos: Chaos): void {
  const { random, world } = chaos;
  const { parts } = world.network;
  const count = random.chance(0.5) ? 1 : random.whole(1, world.hosts.length);
  const hosts = random.sample(world.hosts, count).map(({ address }) => address.host);
  if (random.chance(0.4) && world.leader !== undefined) hosts.push(world.leader.address.host);
  const part = world.time.now + 1;
  chaos.note(`cut off ${hosts.length}: ${hosts.slice(0, 3)}`);
  for (const host of hosts) parts.set(host, part);
  chaos.later(1_000, 40_000, () => {
    for (const host of hosts) if (parts.get(host) === part) parts.delete(host);
  });
}

function pause(chaos: Chaos): void {
  const host = chaos.leaderOrAny();
  const ms = chaos.random.whole(200, 9_000);
  chaos.note(`${host.name} pauses for ${ms} ms`);
  host.server?.process.pause(ms);
}

function cutOffFromStore(chaos: Chaos): void {
  const { etcd, leader, accessPoints } = chaos.world;
  const address = (chaos.random.chance(0.7) ? leader?.address : undefined) ?? chaos.random.pick(accessPoints);
  chaos.note(`cut ${address.host} off from etcd`);
  etcd.cutOff.add(address.host);
  chaos.later(1_000, 20_000, () => void etcd.cutOff.delete(address.host));
}

function storeDown(chaos: Chaos): void {
  const { etcd } = chaos.world;
  chaos.note("the store is down");
  etcd.setAvailable(false);
  chaos.later(1_000, 20_000, () => etcd.setAvailable(true));
}

function lossy(chaos: Chaos): void {
  const { etcd, network } = chaos.world;
  if (chaos.random.chance(0.5)) {
    network.lossy = chaos.random.next() * 0.2;
    network.slowest = chaos.random.whole(3, 400);
  } else etcd.lossy = chaos.random.next() * 0.3;
  chaos.later(1_000, 30_000, () => {
    network.lossy = 0;
    network.slowest = 3;
    etcd.lossy = 0;
  });
}

function jumpClock(chaos: Chaos): void {
  const { wall } = chaos.leaderOrAny();
  wall.offsetMs += Math.round((chaos.random.next() - 0.5) * 2 * DAY_MS);
}

function move(chaos: Chaos): void {
  const host = chaos.plainHost();
  const address = chaos.world.newAddress();
  chaos.note(`${host.name} moves to ${address.host}`);
  host.move(address);
}

function swap(chaos: Chaos): void {
  const [one, other] = [chaos.plainHost(), chaos.plainHost()];
  if (one === other) return;
  chaos.note(`${one.name} and ${other.name} swap addresses`);
  const { address } = one;
  one.move(other.address);
  other.move(address);
  if (one.on) chaos.world.network.attach(one);
}

function copyStorage(chaos: Chaos): void {
  const [from, to] = [chaos.plainHost(), chaos.plainHost()];
  const index = chaos.random.whole(0, to.disks.length);
  const source = from.disks[index]?.superblock;
  const disk = to.disks[index];
  if (from === to || source === undefined || disk === undefined) return;
  chaos.note(`engine ${index} of ${from.name} is copied to ${to.name}: ${source.uuid}`);
  to.killServer();
  chaos.world.copied.add(source.uuid);
  disk.superblock = source;
  chaos.later(500, 5_000, () => to.startServer());
}

function replaceStorage(chaos: Chaos): void {
  const host = chaos.plainHost();
  chaos.note(`${host.name} gets new storage`);
  host.killServer();
  for (const disk of host.disks) disk.superblock = undefined;
  chaos.later(500, 5_000, () => host.startServer());
}

function commandSome(command: Parameters<Administrator["run"]>[0]): Trouble {
  return (chaos) => {
    const { random, world } = chaos;
    const timeoutMs = random.pick([2_000, 30_000]);
    const force = random.chance(0.3);
    if (command !== "erase") {
      chaos.command(command, chaos.someRanks(), { force, timeoutMs });
      return;
    }
    // Force is for hosts that are lost: no administrator erases what only cannot be reached at the moment.
    const dead = new Set(world.hosts.filter(({ on }) => !on).map(({ address }) => address.host));
    const members = world.ledger.list().filter(({ state, address }) => {
      const own = world.network.at(address.host);
      if (own !== undefined && own.replica !== "none") return false;
      return force
        ? dead.has(address.host)
        : state === "stopped" || state === "excluded" || state === "errored";
    });
    const ranks = random.sample(members, random.whole(1, 8)).map(({ rank }) => rank);
    if (ranks.length > 0) chaos.command("erase", ranks, { force, timeoutMs });
  };
}

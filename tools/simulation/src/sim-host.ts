import type { ReplicaRole } from "@daos/election";
import type { HostAddress } from "@daos/hostlist";
import { Random } from "@daos/sys/testing";
import { RestartChecker } from "./restart-checker.ts";
import type { SimDisk } from "./sim-disk.ts";
import type { EngineFault } from "./sim-engine.ts";
import { SimProcess, type WallClock } from "./sim-process.ts";
import { type ServerHost, type ServerWorld, SimServer } from "./sim-server.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** The system of a machine. */
interface HostWorld extends ServerWorld {
  readonly options: ServerWorld["options"] & { readonly enginesPerHost: number };
  readonly random: Random;
  readonly time: VirtualTime;
  newAddress(): HostAddress;
}

/** A machine: everything that survives the end of its server and a power failure. */
export class SimHost implements ServerHost {
  readonly index: number;
  readonly replica: ReplicaRole;
  readonly disks: SimDisk[];
  readonly wall: WallClock = { offsetMs: 0 };
  readonly engineFaults: EngineFault[] = [];
  readonly restartCheckers: RestartChecker[];
  address: HostAddress;
  /** It accepts connections, but nothing answers. */
  unresponsive = false;
  on = false;
  server: SimServer | undefined;
  /** Why its server last ended by itself. */
  endedBecause: string | undefined;
  readonly #world: HostWorld;
  readonly #random: Random;

  constructor(world: HostWorld, index: number, replica: ReplicaRole) {
    this.#world = world;
    this.index = index;
    this.replica = replica;
    this.#random = new Random(world.random.whole(0, 2 ** 32));
    this.address = world.newAddress();
    this.disks = Array.from({ length: world.options.enginesPerHost }, () => ({
      superblock: undefined,
      foreign: false,
    }));
    this.restartCheckers = this.disks.map(
      (_, engine) => new RestartChecker(`engine ${engine} of host ${index}`),
    );
  }

  get name(): string {
    return `host ${this.index} (${this.address.host})`;
  }

  powerOn(): void {
    if (this.on) return;
    this.on = true;
    this.unresponsive = false;
    this.#world.network.attach(this);
    this.startServer();
  }

  powerOff(): void {
    this.on = false;
    this.killServer();
  }

  /** Like `kill -9`: its engines die with it. */
  killServer(): void {
    const { server } = this;
    this.server = undefined;
    server?.process.kill();
    if (this.replica !== "none") this.#world.dataPlane.ended(this);
  }

  startServer(): void {
    if (!this.on || this.server !== undefined) return;
    for (const checker of this.restartCheckers) checker.asked();
    const process = new SimProcess(this.#world.time, this.#random, this.wall);
    const server = new SimServer(this.#world, this, process, this.#random);
    this.server = server;
    void server.ended.then((reason) => {
      if (this.server !== server) return;
      this.#world.history.note(`server of ${this.name} ended: ${reason}`);
      this.endedBecause = reason;
      this.killServer();
      this.#world.time.after(30_000, () => this.startServer());
    });
  }

  /** Its address changes while its server runs, as after a change of a network card or a route. */
  readdress(address: HostAddress): void {
    this.#world.network.detach(this);
    this.address = address;
    if (this.on) this.#world.network.attach(this);
  }

  /** It boots with a new address. */
  move(address: HostAddress): void {
    this.killServer();
    this.#world.network.detach(this);
    this.address = address;
    if (this.on) {
      this.#world.network.attach(this);
      this.startServer();
    }
  }
}

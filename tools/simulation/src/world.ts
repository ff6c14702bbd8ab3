import type { HostAddress } from "@daos/hostlist";
import type { Logger } from "@daos/log";
import { Random } from "@daos/sys/testing";
import { DataPlane } from "./data-plane.ts";
import { History } from "./history.ts";
import { SimEtcd } from "./sim-etcd.ts";
import { SimHost } from "./sim-host.ts";
import { SimNetwork } from "./sim-network.ts";
import { SimProcess } from "./sim-process.ts";
import type { ServerHost, SimServer } from "./sim-server.ts";
import { VirtualTime } from "./virtual-time.ts";

export interface WorldOptions {
  readonly seed: number;
  /** Either three access points that elect a leader in etcd, or one access point that leads and has the members on its disk. */
  readonly mode: "etcd" | "fixed";
  readonly hosts: number;
  readonly enginesPerHost: number;
  /** Receives every line of the history and of the logs. */
  readonly trace?: ((line: string) => void) | undefined;
}

/** A whole system on virtual time. */
export class World {
  readonly options: WorldOptions;
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly history: History;
  readonly network: SimNetwork<SimServer, ServerHost>;
  readonly etcd: SimEtcd;
  readonly dataPlane: DataPlane;
  readonly hosts: readonly SimHost[];
  readonly accessPoints: readonly HostAddress[];
  /** Engine identities that exist twice. */
  readonly copied = new Set<string>();
  #addresses = 0;

  constructor(options: WorldOptions) {
    this.options = options;
    this.random = new Random(options.seed);
    this.history = new History(() => this.time.now, options.trace);
    this.network = new SimNetwork(this.#fork());
    this.etcd = new SimEtcd(this.time, this.#fork(), this.history);
    this.dataPlane = new DataPlane(this.network);
    const accessPoints = options.mode === "etcd" ? 3 : 1;
    this.hosts = Array.from({ length: options.hosts }, (_, index) => {
      const replica = index === 0 ? "bootstrap" : index < accessPoints ? "replica" : "none";
      return new SimHost(this, index, replica);
    });
    this.accessPoints = this.hosts.slice(0, accessPoints).map(({ address }) => address);
  }

  #fork(): Random {
    return new Random(this.random.whole(0, 2 ** 32));
  }

  newAddress(): HostAddress {
    const number = this.#addresses++;
    return { host: `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`, port: 10_001 };
  }

  /** The leading host, according to its own server. */
  get leader(): SimHost | undefined {
    return this.hosts.find(({ server }) => server?.leadership.leadsHere === true);
  }

  /** A process outside the system, as on an administrator's machine. */
  outside(): SimProcess {
    return new SimProcess(this.time, this.#fork(), { offsetMs: 0 });
  }

  logger(name: string): Logger {
    const { trace } = this.options;
    if (trace === undefined) return SILENT;
    const write = (level: string) => (message: string, fields?: object) =>
      trace(
        `${this.time.now} ${level} ${name}: ${message} ${fields === undefined ? "" : showFields(fields)}`,
      );
    const log: Logger = {
      debug: write("debug"),
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
      child: () => log,
    };
    return log;
  }
}

function showFields(fields: object): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value instanceof Error ? value.message : JSON.stringify(value)}`)
    .join(" ");
}

const SILENT: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => SILENT,
};

import { EtcdCluster, SeverableProxy } from "@daos/etcd/testing";
import { type Ended, Program } from "./program.ts";
import { DMG, type DmgResult, freePort, TestSystem } from "./test-system.ts";
import { WallClock } from "./wall-clock.ts";

/** One host of a cluster, with its own connections to etcd and its own wall clock. */
export interface ClusterHost {
  readonly system: TestSystem;
  readonly clock: WallClock;
  readonly address: string;
  /** Packets to etcd are lost without an error. */
  cutFromEtcd(): void;
  restoreWireToEtcd(): void;
}

export interface TestClusterOptions {
  /** The total number of hosts. The first ones are the access points. */
  readonly hosts: number;
  readonly accessPoints: number;
  /** Lines of the configuration; by default the times for a slow machine. */
  readonly failureDetection?: string;
}

/** Times that suit etcd, eight servers and their engines on two cores with other work. */
const SLOW_MACHINE = "failure_detection: {lease_duration: 10, report_interval: 5, overdue_after: 20}";

/** Hosts of one system on loopback ports, with real processes and a real etcd of three members. Dispose of it. */
export class TestCluster implements AsyncDisposable {
  readonly etcd: EtcdCluster;
  readonly hosts: readonly ClusterHost[];
  readonly #stack: AsyncDisposableStack;

  private constructor(etcd: EtcdCluster, hosts: readonly ClusterHost[], stack: AsyncDisposableStack) {
    this.etcd = etcd;
    this.hosts = hosts;
    this.#stack = stack;
  }

  static async create({
    hosts: count,
    accessPoints,
    failureDetection = SLOW_MACHINE,
  }: TestClusterOptions): Promise<TestCluster> {
    await using stack = new AsyncDisposableStack();
    const etcd = stack.use(await EtcdCluster.start({ members: 3 }));
    const ports: number[] = [];
    for (let host = 0; host < count; host++) ports.push(await freePort());
    const names = ports.slice(0, accessPoints).map((port) => `localhost:${port}`);
    const hosts: ClusterHost[] = [];
    for (const port of ports) {
      const wires = await Promise.all(etcd.members.map(({ url }) => SeverableProxy.start(url)));
      for (const wire of wires) stack.use(wire);
      const endpoints = JSON.stringify(wires.map(({ url }) => url));
      const more = `system_db: {backend: etcd, endpoints: ${endpoints}}\n${failureDetection}`;
      const clock = stack.use(await WallClock.create());
      const env = clock.environment;
      let cut = false;
      const system = stack.use(await TestSystem.create({ port, accessPoints: names, more, env }));
      hosts.push({
        system,
        clock,
        address: `127.0.0.1:${port}`,
        cutFromEtcd: () => {
          cut = true;
          for (const wire of wires) wire.cut();
        },
        // Repairing an intact proxy would break its connections.
        restoreWireToEtcd: () => {
          if (cut) for (const wire of wires) wire.mend();
          cut = false;
        },
      });
    }
    return new TestCluster(etcd, hosts, stack.move());
  }

  host(index: number): ClusterHost {
    const found = this.hosts[index];
    if (found === undefined) throw new Error(`there is no host ${index}`);
    return found;
  }

  /** The host with this control address. */
  at(address: string | null): ClusterHost {
    const found = this.hosts.find((host) => host.address === address);
    if (found === undefined) throw new Error(`no host has the address ${address}`);
    return found;
  }

  /** Starts dmg for some hosts; by default for all access points. */
  startDmg(args: readonly string[], hosts: readonly ClusterHost[] = this.hosts.slice(0, 3)): Program {
    return new Program([DMG, "-i", "-l", hosts.map(({ address }) => address).join(","), ...args]);
  }

  /** Runs {@link startDmg} to its end. */
  dmg(args: readonly string[], hosts?: readonly ClusterHost[]): Promise<Ended> {
    return this.startDmg(args, hosts).end();
  }

  /** Like {@link dmg} with `--json`. @returns the result; undefined when it failed */
  async query(args: readonly string[], hosts?: readonly ClusterHost[]): Promise<DmgResult | undefined> {
    const { exitCode, stdout } = await this.dmg(["--json", "--timeout", "30s", ...args], hosts);
    return exitCode === 0 ? (JSON.parse(stdout) as { readonly result: DmgResult }).result : undefined;
  }

  /** Repairs hosts and etcd: afterwards no connection is cut, and no process is frozen or down. */
  async restore(): Promise<void> {
    for (const { clock, restoreWireToEtcd } of this.hosts) {
      restoreWireToEtcd();
      await clock.set(0);
    }
    await this.etcd.restore();
    await Promise.all(
      this.hosts.map(async ({ system }) => {
        system.server.child.kill("SIGCONT");
        if (!system.server.running) await system.start([]);
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Starts all hosts together, then waits for each in turn.
    for (const { system } of this.hosts) system.terminate();
    await this.#stack.disposeAsync();
  }
}

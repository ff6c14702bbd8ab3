import type { EngineConfig } from "@daos/config";
import type { JoinMessage, ReportAnswer, ReportMessage } from "@daos/control-client";
import type { Leadership } from "@daos/election";
import { faultDaosStatus } from "@daos/fault";
import type { Harness } from "@daos/harness";
import { composeHost, type EnginePorts, type Host, type HostCalls, type MembersPort } from "@daos/host";
import type { HostAddress } from "@daos/hostlist";
import type { Logger } from "@daos/log";
import type { JoinReply } from "@daos/member-agent";
import type { MemberState } from "@daos/member-store";
import { joinFromProto, reportFromProto, reportResultToProto } from "@daos/mgmt-service";
import type { Random } from "@daos/sys/testing";
import type { ActionOptions, ActionResult, PoolsResult } from "@daos/system";
import type { DataPlane } from "./data-plane.ts";
import type { History } from "./history.ts";
import { DiskStore } from "./sim-disk.ts";
import { SimElection } from "./sim-election.ts";
import { type EngineHost, SimEngine } from "./sim-engine.ts";
import type { SimEtcd } from "./sim-etcd.ts";
import type { CallOptions, SimNetwork, Work } from "./sim-network.ts";
import type { SimProcess } from "./sim-process.ts";

/** The machine of a server. */
export interface ServerHost extends EngineHost {
  readonly address: HostAddress;
  readonly on: boolean;
  readonly unresponsive: boolean;
  readonly server: SimServer | undefined;
}

/** The system of a server. */
export interface ServerWorld {
  readonly options: { readonly mode: "etcd" | "fixed" };
  readonly accessPoints: readonly HostAddress[];
  readonly history: History;
  readonly etcd: SimEtcd;
  readonly dataPlane: DataPlane;
  readonly network: SimNetwork<SimServer, ServerHost>;
  logger(name: string): Logger;
}

interface Wait {
  readonly signal: AbortSignal;
}

const READY_TIMEOUT_MS = 20_000;
const NEW_POOL = {
  user: "ana@",
  group: "physics@",
  scmBytes: 1n,
  nvmeBytes: 0n,
  ranks: [],
  createdBy: "admin outside",
};

/**
 * One `daos-server` on a simulated machine: the real assembly with the simulation's clock, network, store and engines.
 */
export class SimServer {
  readonly world: ServerWorld;
  readonly host: ServerHost;
  readonly process: SimProcess;
  readonly random: Random;
  readonly engines: readonly SimEngine[];
  /** Resolves with the reason when the server has ended by itself. */
  readonly ended: Promise<string>;
  listening = false;
  readonly #parts: Host;
  readonly #stop = new AbortController();

  constructor(world: ServerWorld, host: ServerHost, process: SimProcess, random: Random) {
    this.world = world;
    this.host = host;
    this.process = process;
    this.random = random;
    const log = world.logger(`host ${host.index}`);
    this.engines = host.disks.map((_, index) => new SimEngine(this, index));
    this.#parts = composeHost({
      self: host.address,
      role: host.replica,
      accessPoints: world.accessPoints,
      faultDomain: "/",
      members: this.#members(),
      calls: this.#calls(),
      engines: this.engines.map((engine, index) => enginePorts(engine, index, log)),
      provisionOnly: false,
      onChange: ({ index, state }) => world.history.note(`engine ${host.index}.${index} ${state.kind}`),
      log,
      clock: process,
    });
    this.ended = this.#run();
  }

  get harness(): Harness {
    return this.#parts.harness;
  }

  get leadership(): Leadership {
    return this.#parts.leadership;
  }

  async #run(): Promise<string> {
    await this.process.delay(this.random.whole(100, 2_000), {});
    this.listening = true;
    try {
      await this.#parts.run(this.#stop.signal);
      return "stopped";
    } catch (error) {
      return String(error);
    }
  }

  /** Stops like after SIGTERM. */
  shutDown(): void {
    this.#stop.abort(new DOMException("the server ends", "AbortError"));
  }

  #members(): MembersPort {
    const { world, process, random, host } = this;
    const { etcd, accessPoints, history, options } = world;
    const check = async () => {};
    if (options.mode === "etcd") {
      const openElection = () => new SimElection({ etcd, process, self: host.address, accessPoints });
      return { kind: "etcd", check, openElection };
    }
    const openStore = async () => new DiskStore(history, process, random, () => !etcd.available);
    return { kind: "storage", check, openStore, lossesIn: async () => [] };
  }

  /** Calls of other hosts. They answer like the handlers of `mgmt.MgmtSvc`. */
  #calls(): HostCalls {
    const { network } = this.world;
    const { process, host } = this;
    // The address may change while the server runs.
    const call = <T>(to: HostAddress, attempted: string, { signal }: Wait, work: Work<SimServer, T>) =>
      network.call(
        { process, host: host.address.host },
        to,
        { signal, attempted } satisfies CallOptions,
        work,
      );
    const callMember = async (
      to: HostAddress,
      attempted: string,
      wait: Wait,
      work: Work<SimServer, number>,
    ): Promise<void> => {
      const status = await call(to, attempted, wait, work);
      if (status !== 0) throw faultDaosStatus(attempted, status);
    };
    return {
      join: (to, message, wait) =>
        call(to, `join engine ${message.uuid}`, wait, (server, peer, limit) =>
          server.join(message, peer, limit),
        ),
      reportEngines: (to, report, wait) =>
        call(to, "report", wait, (server, peer) => server.report(report, peer)),
      callEngine: (to, method, body, wait) =>
        call(to, "call the engine", wait, (server, _peer, limit) =>
          server.#parts.requests.callEngine(method, body, limit),
        ),
      callLeader: () => Promise.reject(new Error("Administrators of the simulation ask the leader")),
      prepShutdown: (to, rank, options) =>
        callMember(to, "prepare shutdown", options, (server, _peer, { signal }) =>
          server.#parts.requests.prepShutdown(rank, { allowedMs: options.timeoutMs, signal }),
        ),
      killRank: (to, rank, options) =>
        callMember(to, "kill rank", options, async (server, _peer, { signal }) => {
          await server.#asked(rank, { signal });
          return server.#parts.requests.killRank(rank, { force: options.force, signal });
        }),
      startRank: (to, rank, wait) =>
        callMember(to, "start rank", wait, async (server, _peer, limit) => {
          await server.#asked(rank, limit);
          await server.#parts.requests.startRank(rank, limit);
          return 0;
        }),
      eraseRank: (to, rank, uuid, wait) =>
        callMember(to, "erase rank", wait, async (server, _peer, limit) => {
          await server.#asked(rank, limit);
          await server.#parts.requests.eraseRank(rank, uuid, limit);
          return 0;
        }),
    };
  }

  /** An administrator is about to start or stop an engine of this host. */
  async #asked(rank: number, wait: Wait): Promise<void> {
    const { index } = await this.harness.findRank(rank, wait);
    this.host.restartCheckers[index]?.asked();
  }

  async join(message: JoinMessage, peer: string, wait: Wait): Promise<JoinReply> {
    const result = await this.#parts.requests.join(joinFromProto(message, peer), wait);
    if (result.status === 0)
      this.world.history.joinAcknowledged(message.uuid, result.rank, result.incarnation);
    return result;
  }

  async report(report: ReportMessage, peer: string): Promise<ReportAnswer> {
    return reportResultToProto(await this.#parts.requests.report(reportFromProto(report, peer)));
  }

  /** Works like the handlers of `mgmt.MgmtSvc`. @returns the pools, for a list */
  async pool(command: PoolCommand, wait: Wait): Promise<PoolsResult | undefined> {
    const { pools } = this.#parts;
    const check = (status: number) => {
      if (status !== 0) throw faultDaosStatus(`${command.kind} a pool`, status);
    };
    switch (command.kind) {
      case "create": {
        const { uuid, label } = command;
        check((await pools.create({ ...NEW_POOL, uuid, label }, { uuid }, wait)).status);
        this.world.history.pools.createAcknowledged(uuid, label);
        return undefined;
      }
      case "destroy":
        check(await pools.destroy(command.uuid, { uuid: command.uuid }, wait));
        return undefined;
      case "list":
        return pools.list({}, wait);
      default:
        return command satisfies never;
    }
  }

  /** Works like the handlers of `ctl.MgmtCtl`. */
  async act(
    command: Command,
    ranks: readonly number[],
    options: Omit<ActionOptions, "fanout">,
  ): Promise<readonly ActionResult[]> {
    const { history } = this.world;
    const { members } = this.leadership.membership().select(ranks, []);
    const since = history.commits - 1;
    if (command === "clearExclude") history.clearing(members.map(({ uuid }) => uuid));
    const results = await this.#parts.actions[command](members, { ...options, named: ranks, fanout: 128 });
    // A result with a state is not recorded yet. A note on a start says that the member was omitted.
    for (const { member, fault, state, note } of results)
      if (fault === undefined && state === undefined && (command !== "start" || note === undefined))
        history.stateAcknowledged(member.uuid, DONE[command], since);
    return results;
  }
}

function enginePorts(engine: SimEngine, index: number, log: Logger): EnginePorts {
  return {
    config: engineConfig(index),
    scm: unused,
    bdev: unused,
    findEngine: async () => "daos_io_server",
    log,
    engineLog: log,
    mayMount: true,
    recreateSuperblocks: false,
    autoFormat: true,
    readyTimeoutMs: READY_TIMEOUT_MS,
    parts: engine.parts(),
  };
}

/** A pool request of an administrator to the leader. */
export type PoolCommand =
  | { readonly kind: "create"; readonly uuid: string; readonly label: string }
  | { readonly kind: "destroy"; readonly uuid: string }
  | { readonly kind: "list" };

/** A member request of an administrator to the leader. */
export type Command = "stop" | "start" | "exclude" | "clearExclude" | "erase";

/** The state that a member must have had when a command is acknowledged. */
const DONE: Readonly<Record<Command, readonly (MemberState | "forgotten")[]>> = {
  stop: ["stopped", "excluded", "replaced", "forgotten"],
  start: ["joined"],
  exclude: ["excluded", "forgotten"],
  clearExclude: [
    "stopped",
    "joining",
    "joined",
    "stopping",
    "unresponsive",
    "errored",
    "replaced",
    "forgotten",
  ],
  erase: ["forgotten"],
};

const unused = new Proxy({} as never, {
  get(_, name) {
    throw new Error(`a simulated engine has no ${String(name)}`);
  },
});

function engineConfig(index: number): EngineConfig {
  return {
    index,
    targets: 8,
    nrXsHelpers: 2,
    firstCore: 0,
    provider: "ofi+tcp",
    fabricIface: "eth0",
    fabricIfacePort: 31_416 + index,
    envVars: [],
    scm: { class: "ram", mount: `/mnt/daos${index}`, sizeGiB: 4 },
    bdev: { class: "nvme", list: [], number: 0, sizeGB: 0 },
    systemName: "simulated",
    socketDir: "/run/daos",
  };
}

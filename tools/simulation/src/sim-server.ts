import { create } from "@bufbuild/protobuf";
import type { EngineConfig } from "@daos/config";
import {
  type AskOptions,
  type JoinMessage,
  LeaderFinder,
  type ReportAnswer,
  type ReportMessage,
} from "@daos/control-client";
import { FixedLeader, Leadership } from "@daos/election";
import { faultDaosStatus } from "@daos/fault";
import { Harness } from "@daos/harness";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import { EngineInstance, type JoinRequest } from "@daos/instance";
import type { Logger } from "@daos/log";
import { EngineReporter, type JoinReply, joinSystem } from "@daos/member-agent";
import type { Member, MemberState } from "@daos/member-store";
import { mgmt } from "@daos/proto";
import type { Rank } from "@daos/rank";
import { faultNotLeader } from "@daos/rpc";
import {
  type ActionOptions,
  type ActionResult,
  callEngineHere,
  EngineGroup,
  Joins,
  prepShutdown,
  reportEngines,
  SystemActions,
} from "@daos/system";
import type { Random } from "./random.ts";
import { DiskStore } from "./sim-disk.ts";
import { SimElection } from "./sim-election.ts";
import { SimEngine } from "./sim-engine.ts";
import type { SimHost } from "./sim-host.ts";
import type { Caller } from "./sim-network.ts";
import type { SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

interface Wait {
  readonly signal: AbortSignal;
}

const READY_TIMEOUT_MS = 20_000;
/** As the handlers of `mgmt.MgmtSvc` have them. */
const JOIN_TIMEOUT_MS = 60_000;
const ENGINE_CALL_TIMEOUT_MS = 300_000;
const PORT = 10_001;

/**
 * One `daos-server` on a simulated machine: the real parts of the control plane, put together as the real server does it,
 * on the simulation's clock, network, store and engines.
 */
export class SimServer {
  readonly world: World;
  readonly host: SimHost;
  readonly process: SimProcess;
  readonly random: Random;
  readonly engines: readonly SimEngine[];
  readonly harness: Harness;
  readonly leadership: Leadership;
  readonly actions: SystemActions;
  /** Resolves with the reason when it has ended by itself. */
  readonly ended: Promise<string>;
  listening = false;
  readonly #joins: Joins;
  readonly #caller: Caller;
  readonly #stop = new AbortController();

  constructor(world: World, host: SimHost, process: SimProcess, random: Random) {
    this.world = world;
    this.host = host;
    this.process = process;
    this.random = random;
    const log = world.logger(`host ${host.index}`);
    const self = host.address;
    this.#caller = { process, host: self.host };
    const storage = Promise.withResolvers<void>();
    this.leadership = this.#leadership(log, storage.promise);
    const takesPart = world.options.mode === "fixed" || host.replica !== "none";
    const finder = new LeaderFinder({
      accessPoints: world.accessPoints,
      known: () => (takesPart ? this.leadership.leader : undefined),
      clock: process,
    });

    const onChange = (instance: EngineInstance) => {
      this.harness.changed(instance);
      reporter.changed();
      world.ledger.note(`engine ${host.index}.${instance.index} ${instance.state.kind}`);
    };
    this.engines = host.disks.map((_, index) => new SimEngine(this, index));
    this.harness = new Harness(
      this.engines.map(
        (engine, index) =>
          new EngineInstance(
            {
              config: engineConfig(index),
              replica: index === 0 ? host.replica : "none",
              msAddress: formatHostAddress(self),
              scm: unused,
              bdev: unused,
              findEngine: async () => "daos_io_server",
              join: (request, { signal }) =>
                joinSystem(request, {
                  attempt: (asked, wait) => this.#joinOnce(finder, asked, wait),
                  log,
                  signal,
                  clock: process,
                }),
              onStorageReady: async () => {
                if (index === 0) storage.resolve();
              },
              onStorageReleased: async () => {},
              onChange,
              log,
              engineLog: log,
              mayMount: true,
              recreateSuperblocks: false,
              autoFormat: true,
              provisionOnly: false,
              readyTimeoutMs: READY_TIMEOUT_MS,
            },
            engine.parts(),
          ),
      ),
      log,
    );
    const groups = new EngineGroup({
      harness: this.harness,
      self,
      accessPoints: () => this.leadership.accessPoints,
      callEngine: (to, method, body, { signal }) =>
        world.network.call(
          this.#caller,
          to,
          { signal, attempted: "call the engine" },
          async (server, _peer, wait) => {
            using limit = server.process.deadline(ENGINE_CALL_TIMEOUT_MS, "call the engine", wait.signal);
            return await callEngineHere(server.harness, { method, body }, limit);
          },
        ),
      log,
    });
    this.#joins = new Joins({ leadership: this.leadership, engines: groups, log });
    const reporter = new EngineReporter({
      self,
      engines: this.harness.instances,
      finder,
      send: (to, report, { signal }) =>
        world.network.call(this.#caller, to, { signal, attempted: "report" }, (server, peer) =>
          server.report(report, peer),
        ),
      log,
      clock: process,
    });
    this.actions = new SystemActions({
      leadership: this.leadership,
      calls: {
        prepShutdown: (to, rank, options) =>
          this.#member(to, options, (server, { signal }) =>
            server.prepShutdown(rank, { allowedMs: options.timeoutMs, signal }),
          ),
        killRank: (to, rank, options) =>
          this.#member(to, options, (server, limit) =>
            server.killRank(rank, { force: options.force, signal: limit.signal }),
          ),
        startRank: (to, rank, wait) => this.#member(to, wait, async (server) => server.startRank(rank)),
        eraseRank: (to, rank, uuid, wait) => this.#member(to, wait, (server) => server.eraseRank(rank, uuid)),
      },
      isHere: ({ uuid }: Member) =>
        this.harness.instances.some(({ superblock }) => superblock?.uuid === uuid),
      holdsMembers: ({ uuid }: Member) =>
        this.leadership.membersOnStorage && this.harness.instances[0]?.superblock?.uuid === uuid,
      log,
      clock: process,
    });
    this.ended = this.#run(reporter);
  }

  async #run(reporter: EngineReporter): Promise<string> {
    await this.process.delay(this.random.whole(100, 2_000), {});
    this.listening = true;
    const { signal } = this.#stop;
    const parts = [
      this.harness.run(signal),
      ...(this.#takesPart ? [this.leadership.run(signal)] : []),
      reporter.run(signal),
    ];
    let reason = "stopped";
    try {
      await Promise.race(parts);
    } catch (error) {
      reason = String(error);
    } finally {
      this.#stop.abort(new DOMException("the server ends", "AbortError"));
      await Promise.allSettled(parts);
    }
    return reason;
  }

  /** As SIGTERM. */
  shutDown(): void {
    this.#stop.abort(new DOMException("the server ends", "AbortError"));
  }

  get #takesPart(): boolean {
    return this.world.options.mode === "fixed" || this.host.replica !== "none";
  }

  #leadership(log: Logger, storage: Promise<void>): Leadership {
    const { world, process, host } = this;
    const { accessPoints, ledger } = world;
    const self = host.address;
    const election =
      world.options.mode === "etcd" && host.replica !== "none"
        ? new SimElection({ etcd: world.etcd, process, self, accessPoints })
        : new FixedLeader({
            accessPoints,
            self: host.replica === "bootstrap" ? self : undefined,
            openStore: async () => {
              await storage;
              return new DiskStore(ledger, process, this.random, () => !world.etcd.available);
            },
          });
    const ranksFrom = world.options.mode === "etcd" ? "store" : "engine";
    const stopExcluded = ({ address, rank }: Member, wait: Wait) =>
      this.#member(address, wait, (server, limit) =>
        server.killRank(rank, { force: false, signal: limit.signal }),
      );
    return new Leadership({ election, self, ranksFrom, stopExcluded, log, clock: process });
  }

  #joinOnce(finder: LeaderFinder, request: JoinRequest, wait: AskOptions): Promise<JoinReply> {
    const { uuid, rank, uri, contexts, recorded } = request;
    const addr = `0.0.0.0:${PORT}`;
    const message = { uuid, rank, uri, nctxs: contexts, addr, faultDomain: "/", reports: true, recorded };
    return finder.ask(
      (to, { signal }) =>
        this.world.network.call(
          this.#caller,
          to,
          { signal, attempted: `join engine ${uuid}` },
          (server, peer, limit) => server.join(message, peer, limit),
        ),
      wait,
    );
  }

  #member(
    to: HostAddress,
    { signal }: Wait,
    work: (server: SimServer, wait: Wait) => Promise<number>,
  ): Promise<void> {
    const attempted = "member call";
    return this.world.network
      .call(this.#caller, to, { signal, attempted }, (server, _peer, wait) => work(server, wait))
      .then((status) => {
        if (status !== 0) throw faultDaosStatus(attempted, status);
      });
  }

  // What follows is asked for by other hosts, and done as the handlers of `mgmt.MgmtSvc` do it.

  #mustTakePart(): void {
    if (!this.#takesPart) throw faultNotLeader(formatHostAddress(this.host.address), undefined);
  }

  async join(message: JoinMessage, peer: string, wait: Wait): Promise<JoinReply> {
    this.#mustTakePart();
    const { nctxs: contexts, addr: address, ...rest } = message;
    using limit = this.process.deadline(JOIN_TIMEOUT_MS, "join", wait.signal);
    const answer = await this.#joins.join({ ...rest, contexts, address }, peer, limit);
    if (answer.status === 0)
      this.world.ledger.joinAcknowledged(message.uuid, answer.rank, answer.incarnation);
    return answer;
  }

  async report(report: ReportMessage, peer: string): Promise<ReportAnswer> {
    this.#mustTakePart();
    const { addr, intervalMs } = report;
    const request = create(mgmt.ReportEnginesReqSchema, { addr, intervalMs });
    request.engines.push(
      ...report.engines.map((engine) => create(mgmt.ReportEnginesReq_EngineSchema, engine)),
    );
    return reportEngines(this.leadership, request, peer);
  }

  /** As the handlers of `ctl.MgmtCtl` do it. */
  async act(
    command: Command,
    ranks: readonly number[],
    options: Omit<ActionOptions, "fanout">,
  ): Promise<readonly ActionResult[]> {
    this.#mustTakePart();
    const { ledger } = this.world;
    const { members } = this.leadership.membership().select(ranks, []);
    const since = ledger.commits - 1;
    if (command === "clearExclude") ledger.clearing(members.map(({ uuid }) => uuid));
    const results = await this.actions[command](members, { ...options, fanout: 128 });
    for (const { member, fault } of results)
      if (fault === undefined) ledger.stateAcknowledged(member.uuid, DONE[command], since);
    return results;
  }

  async prepShutdown(rank: Rank, options: Wait & { readonly allowedMs: number }): Promise<number> {
    return (await prepShutdown(this.harness, rank, { ...options, clock: this.process })).status;
  }

  async killRank(rank: Rank, options: Wait & { readonly force: boolean }): Promise<number> {
    const instance = this.harness.byRank(rank);
    this.host.supervision[instance.index]?.asked();
    return instance.stop(options);
  }

  startRank(rank: Rank): number {
    const instance = this.harness.byRank(rank);
    this.host.supervision[instance.index]?.asked();
    instance.start();
    return 0;
  }

  async eraseRank(rank: Rank, uuid: string): Promise<number> {
    const instance = this.harness.byIdentity(rank, uuid);
    this.host.supervision[instance.index]?.asked();
    await instance.erase();
    return 0;
  }
}

/** What an administrator asks the leader. */
export type Command = "stop" | "start" | "exclude" | "clearExclude" | "erase";

/** What a member must have been for a command to be acknowledged. */
const DONE: Readonly<Record<Command, readonly (MemberState | "forgotten")[]>> = {
  stop: ["stopped", "excluded", "forgotten"],
  start: ["joined"],
  exclude: ["excluded", "forgotten"],
  clearExclude: ["stopped", "joining", "joined", "stopping", "unresponsive", "errored", "forgotten"],
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

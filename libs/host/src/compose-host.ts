import type { AskOptions } from "@daos/control-client";
import type { Leadership } from "@daos/election";
import { Harness } from "@daos/harness";
import { formatHostAddress } from "@daos/hostlist";
import { EngineInstance, faultStorageLost, type JoinRequest } from "@daos/instance";
import { EngineReporter, type JoinReply, joinSystem } from "@daos/member-agent";
import { JoinCoordinator, MsReplicas, PoolCoordinator, ServerRequests, SystemActions } from "@daos/system";
import type { EnginePorts, HostCalls, HostPorts } from "./host-ports.ts";
import { openManagement } from "./management.ts";

/** The control plane of one host, without its sockets. */
export interface Host {
  readonly harness: Harness;
  readonly leadership: Leadership;
  readonly reporter: EngineReporter;
  readonly replicas: MsReplicas;
  readonly actions: SystemActions;
  readonly pools: PoolCoordinator;
  /** Passes the call of a client about the pools on to the leader. */
  readonly callLeader: HostCalls["callLeader"];
  /** What other servers ask of this host. */
  readonly requests: ServerRequests;
  /**
   * Runs the engines, this host's part in the election and its reports until `signal` aborts.
   *
   * @throws Fault of the last engine when none is left; membersLeftBehind, membersMoved, and nothing may serve then
   */
  run(signal: AbortSignal): Promise<void>;
}

interface Wait {
  readonly signal: AbortSignal;
}

/** Every server listens on all addresses. The leader takes the address that it is called from. */
const ANY_ADDRESS = "0.0.0.0";

/** Puts the parts of a server together. The simulation runs what this returns on ports of its own. */
export function composeHost(ports: HostPorts): Host {
  const { self, role, faultDomain, calls, provisionOnly, log, clock } = ports;
  const management = openManagement({
    ...ports,
    hasReplica: () => harness.instances.some(hasReplica),
    stopExcluded: ({ address, rank }, { signal }) => calls.killRank(address, rank, { force: false, signal }),
    log: log.child("leader"),
  });
  const { leadership, finder } = management;

  const joinOnce = (request: JoinRequest, index: number, wait: AskOptions): Promise<JoinReply> => {
    const { uuid, rank, uri, contexts, recorded } = request;
    const addr = `${ANY_ADDRESS}:${self.port}`;
    const message = {
      uuid,
      rank,
      uri,
      nctxs: contexts,
      addr,
      faultDomain,
      reports: true,
      recorded,
      engineNumber: index + 1,
    };
    return finder.ask((host, until) => calls.join(host, message, until), wait);
  };

  /** Rejects when the system would begin anew without the members that it has: nothing may serve then. */
  const fatal = Promise.withResolvers<never>();
  fatal.promise.catch(() => {});
  const onStorageReady = async (
    { index, config: { scm }, superblock }: EngineInstance,
    { takeStorage }: EnginePorts,
    wait: Wait,
  ) => {
    if (provisionOnly) return;
    await takeStorage?.(scm.mount, wait);
    if (index !== 0 || superblock === undefined) return;
    try {
      await management.storageReady(scm.mount, superblock.uuid, wait);
    } catch (error) {
      if (!wait.signal.aborted) fatal.reject(error);
      throw error;
    }
  };
  const onStorageReleased = async (
    { index, config: { scm } }: EngineInstance,
    { releaseStorage }: EnginePorts,
  ) => {
    if (index === 0) await management.storageReleased();
    releaseStorage?.(scm.mount);
  };

  const verifyStorage = async ({ index, config: { scm } }: EngineInstance) => {
    const losses = index === 0 ? await management.lossesIn(scm.mount) : [];
    if (losses.length > 0) throw faultStorageLost(index, scm.mount, losses);
  };

  const serving = new Set<EngineInstance>();
  const onChange = (instance: EngineInstance) => {
    harness.changed(instance);
    reporter.changed();
    ports.onChange?.(instance);
    if (instance.state.kind !== "serving" || serving.has(instance)) return;
    if (serving.add(instance).size === harness.instances.length) ports.onServing?.();
  };
  const instanceOf = (engine: EnginePorts): EngineInstance =>
    new EngineInstance(
      {
        ...engine,
        replica: engine.config.index === 0 ? role : "none",
        msAddress: formatHostAddress(self),
        join: (request, { signal }) => {
          const attempt = (again: JoinRequest, wait: AskOptions) =>
            joinOnce(again, engine.config.index, wait);
          return joinSystem(request, { attempt, log, signal, clock });
        },
        onStorageReady: (instance, wait) => onStorageReady(instance, engine, wait),
        onStorageReleased: (instance) => onStorageReleased(instance, engine),
        verifyStorage,
        onChange,
        provisionOnly,
      },
      engine.parts,
    );

  const harness = new Harness(ports.engines.map(instanceOf), log.child("harness"));
  const mgmtLog = log.child("mgmt");
  const replicas = new MsReplicas({
    harness,
    self,
    accessPoints: () => leadership.accessPoints,
    configured: ports.accessPoints,
    callEngine: (...args) => calls.callEngine(...args),
    log: mgmtLog,
  });
  const joins = new JoinCoordinator({ leadership, replicas, log: mgmtLog });
  const reporter = new EngineReporter({
    self,
    engines: harness.instances,
    finder,
    send: (host, report, wait) => calls.reportEngines(host, report, wait),
    intervalMs: ports.failureDetection?.reportIntervalMs,
    log: log.child("report"),
    clock,
  });

  return {
    harness,
    leadership,
    reporter,
    replicas,
    callLeader: (...args) => calls.callLeader(...args),
    pools: new PoolCoordinator({ leadership, replicas, log: log.child("pools"), clock }),
    actions: new SystemActions({ leadership, harness, calls, log, clock }),
    requests: new ServerRequests({ harness, leadership, joins, log: mgmtLog, clock }),
    run: async (signal) => {
      // Whichever part ends first, the others end with it.
      const ended = new AbortController();
      const until = AbortSignal.any([signal, ended.signal]);
      const parts = [
        harness.run(until),
        // It leads until its own last report has been taken.
        ...(provisionOnly ? [] : [leadership.run(ended.signal), reporter.run(until)]),
      ];
      try {
        await Promise.race([...parts, fatal.promise]);
      } finally {
        if (signal.aborted && !provisionOnly) {
          await reporter.goingDown();
          await leadership.saveEvents();
        }
        ended.abort(new DOMException("the server ends", "AbortError"));
        await Promise.allSettled(parts);
      }
    },
  };
}

/** It has a replica of the data plane's management service, and serves or is about to. */
function hasReplica({ state, superblock, runsReplica }: EngineInstance): boolean {
  return runsReplica || (state.kind === "serving" && superblock?.ms === true);
}

import type { Leadership } from "@daos/election";
import { Harness } from "@daos/harness";
import { formatHostAddress } from "@daos/hostlist";
import { EngineInstance } from "@daos/instance";
import { EngineReporter } from "@daos/member-agent";
import { JoinCoordinator, MsReplicas, PoolCoordinator, ServerRequests, SystemActions } from "@daos/system";
import type { EnginePorts, HostCalls, HostPorts } from "./host-ports.ts";
import { joinEngine } from "./join-engine.ts";
import { type Management, openManagement } from "./management.ts";
import { runHost } from "./run-host.ts";
import { StorageHooks } from "./storage-hooks.ts";

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
  /** The requests of other servers to this host. */
  readonly requests: ServerRequests;
  /**
   * Runs the engines, this host's part in the election and its reports until `signal` aborts.
   *
   * @throws Fault of the last engine when none is left; membersLeftBehind, membersMoved; then nothing may serve
   */
  run(signal: AbortSignal): Promise<void>;
}

/** Assembles the parts of a server. The simulation uses it too, with ports of its own. */
export function composeHost(ports: HostPorts): Host {
  const { self, calls, provisionOnly, log, clock } = ports;
  const management = openManagement({
    ...ports,
    hasReplica: () => harness.instances.some(hasReplica),
    stopExcluded: ({ address, rank }, { signal }) => calls.killRank(address, rank, { force: false, signal }),
    log: log.child("leader"),
  });
  const { leadership, finder } = management;
  const storage = new StorageHooks(management, { provisionOnly });
  const notifyServing = onceAllServe(ports);
  const onChange = (instance: EngineInstance) => {
    harness.changed(instance);
    reporter.changed();
    ports.onChange?.(instance);
    notifyServing(instance);
  };
  const instances = engineInstances(ports, { finder, storage, onChange });
  const harness = new Harness(instances, log.child("harness"));
  const reporter = new EngineReporter({
    self,
    engines: harness.instances,
    finder,
    send: (host, report, wait) => calls.reportEngines(host, report, wait),
    intervalMs: ports.failureDetection?.reportIntervalMs,
    log: log.child("report"),
    clock,
  });

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
  return {
    harness,
    leadership,
    reporter,
    replicas,
    callLeader: (...args) => calls.callLeader(...args),
    pools: new PoolCoordinator({ leadership, replicas, log: log.child("pools"), clock }),
    actions: new SystemActions({ leadership, harness, calls, log, clock }),
    requests: new ServerRequests({ harness, leadership, joins, log: mgmtLog, clock }),
    run: (signal) => runHost({ harness, leadership, reporter, fatal: storage.fatal, provisionOnly }, signal),
  };
}

interface EngineParts {
  readonly finder: Management["finder"];
  readonly storage: StorageHooks;
  readonly onChange: (instance: EngineInstance) => void;
}

/** One instance for each engine; only the first one may have a replica of the data plane's management service. */
function engineInstances(ports: HostPorts, { finder, storage, onChange }: EngineParts): EngineInstance[] {
  const { self, role, provisionOnly, engines } = ports;
  const joinOf = joinEngine(ports, finder);
  const instanceOf = (engine: EnginePorts): EngineInstance =>
    new EngineInstance(
      {
        ...engine,
        replica: engine.config.index === 0 ? role : "none",
        msAddress: formatHostAddress(self),
        join: joinOf(engine.config.index),
        onStorageReady: (instance, wait) => storage.ready(instance, engine, wait),
        onStorageReleased: (instance) => storage.released(instance, engine),
        verifyStorage: (instance) => storage.verify(instance),
        onChange,
        provisionOnly,
      },
      engine.parts,
    );
  return engines.map(instanceOf);
}

/** Calls `onServing` when the last engine that has not served yet serves. */
function onceAllServe({ engines, onServing }: HostPorts): (instance: EngineInstance) => void {
  const serving = new Set<EngineInstance>();
  return (instance) => {
    if (instance.state.kind !== "serving" || serving.has(instance)) return;
    if (serving.add(instance).size === engines.length) onServing?.();
  };
}

/** True when it has a replica of the data plane's management service, and serves or is about to serve. */
function hasReplica({ state, superblock, runsReplica }: EngineInstance): boolean {
  return runsReplica || (state.kind === "serving" && superblock?.ms === true);
}

import { statfs } from "node:fs/promises";
import type { Interceptor } from "@connectrpc/connect";
import type { NvmeController } from "@daos/bdev";
import type { ServerConfig } from "@daos/config";
import type { Leadership } from "@daos/election";
import type { Harness } from "@daos/harness";
import { type EngineInstance, servingProblem } from "@daos/instance";
import type { Logger } from "@daos/log";
import type { MetricSources, NvmeReading, ReadyCheck, ScmReading } from "@daos/metrics";
import { certificateStatus, loadIdentity } from "@daos/security";
import { VERSION } from "./release.ts";

/** The metrics of a running server. */
export interface RunningMetrics {
  /** Receives the calls of the gRPC listener. */
  readonly interceptor: Interceptor;
  readonly port: number;
  /** The page for Prometheus. */
  render(): Promise<string>;
  /** Reads the certificate again. @throws Fault, and keeps the old one */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** The controllers of the last scan. */
export interface DeviceSample {
  readonly controllers: readonly NvmeController[];
  readonly readAt: Date;
}

export interface StartMetricsOptions {
  readonly config: Pick<ServerConfig, "telemetryPort" | "telemetryAddress" | "telemetryTls" | "transport">;
  /** The address to listen on without `telemetry_address`: that of the control plane. */
  readonly host: string;
  readonly harness: Pick<Harness, "instances">;
  readonly leadership: Pick<Leadership, "leadsHere" | "membership" | "leader">;
  readonly devices: () => DeviceSample | undefined;
  readonly log: Logger;
}

/** Serves metrics on `telemetry_port`; does nothing without it. @throws Fault listenAddressBusy, or for the certificate */
export async function startMetrics(options: StartMetricsOptions): Promise<RunningMetrics | undefined> {
  const { config, harness, leadership, log } = options;
  const { telemetryPort, telemetryAddress, telemetryTls, transport } = config;
  if (telemetryPort === undefined) return undefined;
  // Loaded here, because a server without the port does not need it.
  const { listenMetrics, Metrics } = await import("@daos/metrics");
  const metrics = new Metrics(metricSources(options));
  const readPem = async () =>
    (await loadIdentity(transport, { roles: ["server"], onWrongDates: () => {} })).pem;
  const listener = await listenMetrics({
    metrics,
    readiness: () => readiness(harness, leadership),
    host: telemetryAddress ?? options.host,
    port: telemetryPort,
    readPem: telemetryTls ? readPem : undefined,
    log,
  });
  return {
    interceptor: metrics.interceptor,
    port: listener.port,
    render: () => metrics.render(),
    reload: () => listener.reload(),
    close: () => listener.close(),
  };
}

function metricSources({ config, harness, leadership, devices }: StartMetricsOptions): MetricSources {
  const { transport } = config;
  return {
    version: VERSION,
    engines: () =>
      harness.instances.map(({ index, state, superblock, restarts }) => ({
        index,
        rank: superblock?.rank,
        state: state.kind,
        restarts,
      })),
    members: () => countMembers(leadership),
    scm: () => readScm(harness.instances),
    nvme: () => nvmeReadings(devices()),
    ...(!transport.allowInsecure && {
      certificates: async () =>
        (await certificateStatus(transport, { role: "server" })).map(({ path, kind, notAfter, state }) => ({
          path,
          kind: kind ?? "unknown",
          notAfter,
          usable: state !== "unusable",
        })),
    }),
  };
}

/** The answer of `/readyz`: a server is ready when it knows a leader and all its engines serve. */
function readiness(
  harness: StartMetricsOptions["harness"],
  leadership: StartMetricsOptions["leadership"],
): readonly ReadyCheck[] {
  return [
    { name: "leader", reason: leadership.leader === undefined ? "none is known" : undefined },
    ...harness.instances.map(({ index, state }) => ({ name: `engine ${index}`, reason: problemOf(state) })),
  ];
}

function problemOf(state: EngineInstance["state"]): string | undefined {
  return state.kind === "serving" ? servingProblem(state) : state.kind;
}

/**
 * The space at `scm_mount` of the serving engines. For other engines it would be the space of another file system. An engine
 * whose SCM is lost has no value, and `/readyz` gives the reason; the other metrics must stay available.
 */
async function readScm(instances: readonly EngineInstance[]): Promise<readonly ScmReading[]> {
  const serving = instances.filter(
    ({ state }) => state.kind === "serving" && state.storageFault === undefined,
  );
  const readings = serving.map(async ({ index, config }) => {
    const space = await statfs(config.scm.mount).catch(() => undefined);
    if (space === undefined) return [];
    const { blocks, bavail, bsize } = space;
    return [{ index, size: blocks * bsize, free: bavail * bsize }];
  });
  return (await Promise.all(readings)).flat();
}

const KELVIN = 273;

function nvmeReadings(sample: DeviceSample | undefined): readonly NvmeReading[] {
  return (sample?.controllers ?? []).flatMap(({ pciAddress, serial, health, source }) => {
    if (health === undefined || source === "last-known" || source === "pci") return [];
    return [
      {
        address: pciAddress,
        serial,
        temperatureCelsius: health.temperature - KELVIN,
        percentUsed: health.percentUsed,
        mediaErrors: Number(health.mediaErrors),
        warnings: new Map([
          ["temperature", health.temperatureWarning],
          ["spare", health.spareWarning],
          ["reliability", health.reliabilityWarning],
          ["read_only", health.readOnlyWarning],
          ["volatile", health.volatileWarning],
        ]),
        readAt: sample?.readAt ?? new Date(),
      },
    ];
  });
}

/** The number of members in each state; undefined where this host does not lead. */
function countMembers(
  leadership: StartMetricsOptions["leadership"],
): ReadonlyMap<string, number> | undefined {
  if (!leadership.leadsHere) return undefined;
  const states = new Map<string, number>();
  for (const { state } of leadership.membership().list()) states.set(state, (states.get(state) ?? 0) + 1);
  return states;
}

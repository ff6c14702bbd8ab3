import type { Interceptor } from "@connectrpc/connect";
import type { ServerConfig } from "@daos/config";
import { Fault } from "@daos/fault";
import type { Harness } from "@daos/harness";
import type { EngineInstance } from "@daos/instance";
import type { Logger } from "@daos/log";
import type { Leadership } from "@daos/membership";
import { certificateStatus } from "@daos/security";

/** Metrics while the server runs. */
export interface RunningMetrics {
  /** Counts the calls of the gRPC listener. */
  readonly interceptor: Interceptor;
  readonly port: number;
  /** To be called when the state of an engine has changed. */
  changed(engine: Pick<EngineInstance, "index" | "state">): void;
  close(): Promise<void>;
}

export interface StartMetricsOptions {
  readonly config: Pick<ServerConfig, "telemetryPort" | "transport">;
  readonly harness: Pick<Harness, "instances">;
  readonly leadership: Pick<Leadership, "leadsHere" | "membership">;
  readonly log: Logger;
}

/** Prometheus runs elsewhere: as in later releases of DAOS it may ask every address of this host. */
const ANY_ADDRESS = "0.0.0.0";

/** Serves metrics on `telemetry_port`; nothing without one. @throws Fault listenAddressBusy */
export async function startMetrics(options: StartMetricsOptions): Promise<RunningMetrics | undefined> {
  const { config, harness, leadership, log } = options;
  const { telemetryPort, transport } = config;
  if (telemetryPort === undefined) return undefined;
  // Whoever sets no port does not wait for what makes metrics.
  const { listenMetrics, Metrics } = await import("@daos/metrics");
  const restarts = new Map<number, number>();
  const metrics = new Metrics({
    engines: () =>
      harness.instances.map(({ index, state, superblock }) => ({
        index,
        rank: superblock?.rank,
        state: state.kind,
        restarts: restarts.get(index) ?? 0,
      })),
    members: () => countMembers(leadership),
    ...(!transport.allowInsecure && {
      certificates: async () =>
        (await certificateStatus(transport, { role: "server" })).map(({ path, kind, notAfter, state }) => ({
          path,
          kind: kind ?? "unknown",
          notAfter,
          usable: state !== "unusable",
        })),
    }),
  });
  const listener = await listenMetrics({ metrics, host: ANY_ADDRESS, port: telemetryPort, log });
  return {
    interceptor: metrics.interceptor,
    port: listener.port,
    changed: ({ index, state }) => {
      if (state.kind === "restarting") restarts.set(index, (restarts.get(index) ?? 0) + 1);
    },
    close: () => listener.close(),
  };
}

/** The number of members in each state; undefined where this host does not lead, or does not know them yet. */
function countMembers(
  leadership: StartMetricsOptions["leadership"],
): ReadonlyMap<string, number> | undefined {
  if (!leadership.leadsHere) return undefined;
  const states = new Map<string, number>();
  try {
    for (const { state } of leadership.membership().list()) states.set(state, (states.get(state) ?? 0) + 1);
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
  return states;
}

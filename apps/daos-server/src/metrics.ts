import type { Interceptor } from "@connectrpc/connect";
import type { ServerConfig } from "@daos/config";
import type { Leadership } from "@daos/election";
import type { Harness } from "@daos/harness";
import type { Logger } from "@daos/log";
import { certificateStatus } from "@daos/security";

/** Metrics while the server runs. */
export interface RunningMetrics {
  /** Counts the calls of the gRPC listener. */
  readonly interceptor: Interceptor;
  readonly port: number;
  close(): Promise<void>;
}

export interface StartMetricsOptions {
  readonly config: Pick<ServerConfig, "telemetryPort" | "transport">;
  /** Where to listen: the address of the control plane. */
  readonly host: string;
  readonly harness: Pick<Harness, "instances">;
  readonly leadership: Pick<Leadership, "leadsHere" | "membership">;
  readonly log: Logger;
}

/** Serves metrics on `telemetry_port`; nothing without one. @throws Fault listenAddressBusy */
export async function startMetrics(options: StartMetricsOptions): Promise<RunningMetrics | undefined> {
  const { config, host, harness, leadership, log } = options;
  const { telemetryPort, transport } = config;
  if (telemetryPort === undefined) return undefined;
  // Loaded here: a server without the port does not need it.
  const { listenMetrics, Metrics } = await import("@daos/metrics");
  const metrics = new Metrics({
    engines: () =>
      harness.instances.map(({ index, state, superblock, restarts }) => ({
        index,
        rank: superblock?.rank,
        state: state.kind,
        restarts,
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
  const listener = await listenMetrics({ metrics, host, port: telemetryPort, log });
  return {
    interceptor: metrics.interceptor,
    port: listener.port,
    close: () => listener.close(),
  };
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

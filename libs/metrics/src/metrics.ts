import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { type NvmeReading, nvmeMetrics, type ScmReading, scmMetrics } from "./storage-metrics.ts";

/** The expiry of one certificate. */
interface CertificateReading {
  readonly path: string;
  /** `ca`, a role, `other`; `unknown` for a file that cannot be read. */
  readonly kind: string;
  /** Undefined for a file that cannot be read: it has no metric. */
  readonly notAfter: Date | undefined;
  /** False when it has expired, or cannot be used for another reason. */
  readonly usable: boolean;
}

/** The state of one engine of this host. */
interface EngineReading {
  readonly index: number;
  readonly rank: number | undefined;
  /** The state of its instance, as in `serving`. */
  readonly state: string;
  /** The number of restarts; undefined when they are not counted. */
  readonly restarts?: number | undefined;
}

/** The sources of the metrics, called at each scrape. An absent source has no metrics. */
export interface MetricSources {
  /** The version of this program. */
  readonly version?: string;
  readonly certificates?: () => Promise<readonly CertificateReading[]>;
  readonly engines?: () => readonly EngineReading[];
  /** The number of members in each state; undefined where this host does not lead. */
  readonly members?: () => ReadonlyMap<string, number> | undefined;
  readonly scm?: () => Promise<readonly ScmReading[]>;
  readonly nvme?: () => readonly NvmeReading[];
}

/** Bounds in seconds: queries take milliseconds, pools seconds, formats hours. */
const BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 600, 7200];

/** Gauges of prom-client that are named as counters. Each has a second metric, by type, without the suffix. */
const MISNAMED = ["handles", "requests", "resources"];

/** The metrics of one server. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #handled: Counter<"method" | "code">;
  readonly #seconds: Histogram<"method">;
  /** Reads the sources before the metrics are returned. */
  readonly #refreshers: (() => Promise<void>)[] = [];

  constructor(sources: MetricSources = {}) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry, prefix: "daos_server_" });
    for (const kind of MISNAMED) this.#registry.removeSingleMetric(`daos_server_nodejs_active_${kind}_total`);
    this.#handled = new Counter({
      name: "daos_rpc_handled_total",
      help: "Calls that were answered, by method and gRPC code",
      labelNames: ["method", "code"],
      registers,
    });
    this.#seconds = new Histogram({
      name: "daos_rpc_duration_seconds",
      help: "Time until the end of the answer, by method",
      labelNames: ["method"],
      buckets: BUCKETS,
      registers,
    });
    const { certificates, engines, members, version, scm, nvme } = sources;
    if (version !== undefined) this.#showBuild(version);
    if (certificates !== undefined) this.#watchCertificates(certificates);
    if (engines !== undefined) this.#watchEngines(engines);
    if (members !== undefined) this.#watchMembers(members);
    if (scm !== undefined) this.#refreshers.push(scmMetrics(this.#registry, scm));
    if (nvme !== undefined) this.#refreshers.push(nvmeMetrics(this.#registry, nvme));
  }

  /** Counts and times the calls of a server. Pass it to `connectNodeAdapter` before the fault interceptor. */
  get interceptor(): Interceptor {
    return (next) => async (request) => {
      const start = performance.now();
      const method = `${request.service.typeName}/${request.method.name}`;
      const done = (code: string) => {
        this.#handled.inc({ method, code });
        this.#seconds.observe({ method }, (performance.now() - start) / 1000);
      };
      try {
        const response = await next(request);
        if (!response.stream) {
          done("OK");
          return response;
        }
        return { ...response, message: watched(response.message, done) };
      } catch (error) {
        done(codeOf(error));
        throw error;
      }
    };
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics in Prometheus' text format. @throws the error of a source */
  async render(): Promise<string> {
    await Promise.all(this.#refreshers.map((refresh) => refresh()));
    return this.#registry.metrics();
  }

  #showBuild(version: string): void {
    new Gauge({
      name: "daos_build_info",
      help: "1, with the versions of the control plane and of Node.js",
      labelNames: ["version", "node"],
      registers: [this.#registry],
    }).set({ version, node: process.version }, 1);
  }

  #watchCertificates(read: NonNullable<MetricSources["certificates"]>): void {
    const registers = [this.#registry];
    const labelNames = ["path", "kind"] as const;
    const usable = new Gauge({
      name: "daos_certificate_usable",
      help: "1 for a certificate that can be used, 0 for a certificate that has expired or cannot be used",
      labelNames,
      registers,
    });
    const expiry = new Gauge({
      name: "daos_certificate_expiry_timestamp_seconds",
      help: "When a certificate expires, in seconds since 1970; of several in one file the first that expires",
      labelNames,
      registers,
    });
    this.#refreshers.push(async () => {
      const certificates = await read();
      expiry.reset();
      usable.reset();
      for (const { path, kind, notAfter, usable: good } of worstOfEach(certificates)) {
        usable.set({ path, kind }, good ? 1 : 0);
        if (notAfter !== undefined) expiry.set({ path, kind }, notAfter.getTime() / 1000);
      }
    });
  }

  #watchEngines(read: NonNullable<MetricSources["engines"]>): void {
    const registers = [this.#registry];
    const restarts = new Gauge({
      name: "daos_engine_restarts",
      help: "How often an engine of this host was started again since the server started",
      labelNames: ["index"],
      registers,
    });
    const states = new Gauge({
      name: "daos_engine_state",
      help: "1 for the state that an engine of this host is in",
      labelNames: ["index", "rank", "state"],
      registers,
    });
    this.#refreshers.push(async () => {
      states.reset();
      restarts.reset();
      for (const { index, rank, state, restarts: count } of read()) {
        states.set({ index, rank: rank === undefined ? "" : `${rank}`, state }, 1);
        if (count !== undefined) restarts.set({ index }, count);
      }
    });
  }

  #watchMembers(read: NonNullable<MetricSources["members"]>): void {
    const registers = [this.#registry];
    const members = new Gauge({
      name: "daos_members",
      help: "Members of the system by state, where this host leads",
      labelNames: ["state"],
      registers,
    });
    const leader = new Gauge({
      name: "daos_leader",
      help: "1 where this host leads the management service",
      registers,
    });
    this.#refreshers.push(async () => {
      const states = read();
      leader.set(states === undefined ? 0 : 1);
      members.reset();
      for (const [state, count] of states ?? []) members.set({ state }, count);
    });
  }
}

/** A file may hold several certificates, as `ca_cert` does while the CA is replaced: the first to expire counts. */
function worstOfEach(certificates: readonly CertificateReading[]): readonly CertificateReading[] {
  const files = new Map<string, CertificateReading>();
  for (const one of certificates) {
    const key = `${one.kind} ${one.path}`;
    const other = files.get(key) ?? one;
    const first = (other.notAfter ?? NEVER) <= (one.notAfter ?? NEVER) ? other : one;
    files.set(key, { ...first, usable: other.usable && one.usable });
  }
  return [...files.values()];
}

/** The last day that a Date can hold. */
const NEVER = new Date(8.64e15);

/** Wraps a stream and reports when and how it ended, also when its reader stops. */
async function* watched<T>(messages: AsyncIterable<T>, done: (code: string) => void): AsyncGenerator<T> {
  let code = "CANCELLED";
  try {
    yield* messages;
    code = "OK";
  } catch (error) {
    code = codeOf(error);
    throw error;
  } finally {
    done(code);
  }
}

/** The name of a gRPC code, `NOT_FOUND`. */
function codeOf(error: unknown): string {
  const code = ConnectError.from(error).code;
  if (code === Code.Canceled) return "CANCELLED";
  return (Code[code] ?? "Unknown").replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}

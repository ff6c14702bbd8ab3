export { listenMetrics } from "./listen-metrics.ts";
export { type MetricSources, Metrics } from "./metrics.ts";
export type { ReadyCheck } from "./readiness.ts";
export type { NvmeReading, ScmReading } from "./storage-metrics.ts";

export { listenMetrics, type MetricsListener, type MetricsListenOptions } from "./listen-metrics.ts";
export {
  type CertificateReading,
  type EngineReading,
  type MetricSources,
  Metrics,
} from "./metrics.ts";

export { listenMetrics } from "./listen-metrics.ts";
export { Metrics } from "./metrics.ts";

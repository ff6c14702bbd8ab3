// npm run test:monitoring: tests the samples for Prometheus with Debian's Prometheus.
import { runSuite } from "./run-suite.mjs";

runSuite("vitest.monitoring.config.mjs", { promtool: "prometheus" });

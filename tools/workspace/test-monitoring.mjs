// npm run test:monitoring: the samples for Prometheus, with Debian's.
import { runSuite } from "./run-suite.mjs";

runSuite("vitest.monitoring.config.mjs", { promtool: "prometheus" });

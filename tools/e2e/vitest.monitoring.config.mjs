// The samples for Prometheus, with a real one: npm run test:monitoring.
import { mergeConfig } from "vitest/config";
import settings from "../workspace/vitest.config.mjs";

const config = mergeConfig(settings, { test: { testTimeout: 300_000, fileParallelism: false } });
config.test.include = ["src/monitoring/*.prometheus.ts"];

export default config;

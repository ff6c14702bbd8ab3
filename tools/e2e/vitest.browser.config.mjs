// The tests in a real browser: npm run test:web.
import { mergeConfig } from "vitest/config";
import settings from "../workspace/vitest.config.mjs";

const config = mergeConfig(settings, {
  test: { testTimeout: 300_000, hookTimeout: 120_000, fileParallelism: false },
});
config.test.include = ["src/browser/*.browser.ts"];

export default config;

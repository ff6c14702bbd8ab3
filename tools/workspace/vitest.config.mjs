// Tests run on the sources of every library (the export condition @daos/source), never on a stale build.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const conditions = ["@daos/source", "node", "import", "default"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["src/**/*.test.ts"],
    passWithNoTests: false,
    setupFiles: [fileURLToPath(new URL("vitest.setup.mjs", import.meta.url))],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    slowTestThreshold: 5_000,
    // The limits are long because a busy machine is slow. A real failure reaches any limit.
    expect: { poll: { timeout: 30_000 } },
    // Continuous integration repeats a failed test once, because its machine may be busy, and names these tests.
    retry: process.env.DAOS_TEST_AGAIN === "1" ? 1 : 0,
    reporters: [
      "default",
      fileURLToPath(new URL("repeats-reporter.mjs", import.meta.url)),
      fileURLToPath(new URL("snapshot-reporter.mjs", import.meta.url)),
    ],
    pool: "forks",
    maxWorkers: 2,
    // A larger young generation: suites that compute spent a sixth of their time collecting garbage.
    execArgv: ["--conditions=@daos/source", "--max-semi-space-size=32"],
  },
});

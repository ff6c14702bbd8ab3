// Tests run on the sources of every library (the condition @daos/source), never on a stale build.
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
    pool: "forks",
    maxWorkers: 2,
    execArgv: ["--conditions=@daos/source"],
  },
});

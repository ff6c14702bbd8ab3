// The Nx plugin of this workspace. It infers the targets of a project from its files. A package.json names only special
// targets.
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";

const SETTINGS = [
  "{workspaceRoot}/tools/workspace/vitest.config.mjs",
  "{workspaceRoot}/tools/workspace/vitest.setup.mjs",
];

/**
 * @see the `createNodesV2` of Nx' plugin API
 * @type {import("nx/src/devkit-exports.js").CreateNodes}
 */
export const createNodesV2 = [
  "{apps,libs,tools}/*/package.json",
  (files, _options, { workspaceRoot }) =>
    files.map((file) => {
      const root = dirname(file);
      const hasTests = sources(join(workspaceRoot, root, "src")).some((path) => path.endsWith(".test.ts"));
      return [file, { projects: { [root]: { targets: { lint, ...(hasTests ? { test } : {}) } } } }];
    }),
];

/** Biome and ESLint on one project. `npm test` checks all projects at once with `lint-workspace`. */
const lint = {
  executor: "nx:run-commands",
  cache: true,
  inputs: ["default", "^production", "{workspaceRoot}/eslint.config.mjs", "{workspaceRoot}/biome.json"],
  options: {
    commands: ["biome check --error-on-warnings .", "eslint --max-warnings 0 ."],
    parallel: false,
    cwd: "{projectRoot}",
  },
};

/** Unit tests run on sources. The processes that they start run the output of `compile`, `native` and `build`. */
const test = {
  executor: "nx:run-commands",
  cache: true,
  dependsOn: [{ projects: ["@daos/workspace"], target: "compile" }, "native", "^native", "build", "^build"],
  inputs: ["default", "^production", ...SETTINGS],
  options: {
    command: "vitest run --config ../../tools/workspace/vitest.config.mjs",
    cwd: "{projectRoot}",
  },
};

/** @param {string} directory */
function sources(directory) {
  try {
    return readdirSync(directory, { recursive: true, encoding: "utf8" });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

// Bundles dmg into dist/bundle: few files, compiled ahead of time. See docs/performance.md.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildPage } from "@daos/web/build-page";
import { bundleProgram, LIGHT_HEADERS, LOWER_USING } from "../../../tools/workspace/bundle-program.mjs";
import { compileCache, sealCompileCache } from "../../../tools/workspace/compile-cache.mjs";
import { continueOnFoundNode } from "../../../tools/workspace/find-node.mjs";

/**
 * The same options as in bin/dmg: a compile cache is valid for one set of flags. A young generation of 8 MiB avoids
 * garbage collections at start-up.
 */
const NODE_FLAGS = ["--max-semi-space-size=8", "--min-semi-space-size=8"];

// The bundle names Node's own modules. They must be those of the Node.js that runs it.
continueOnFoundNode();

const app = fileURLToPath(new URL("..", import.meta.url));
const bundle = `${app}dist/bundle`;

/**
 * Leaves out what commands load when they run.
 *
 * @type {import("esbuild").Plugin}
 */
const WITHOUT_LATER_MODULES = {
  name: "without-later-modules",
  setup(build) {
    build.onResolve({ filter: /^(?:@daos|\.)/ }, ({ path, kind }) =>
      kind === "dynamic-import" ? { path, namespace: "later" } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: "later" }, ({ path }) => ({
      contents: `throw new Error(${JSON.stringify(`${path} is in main.cjs only`)});`,
    }));
  },
};

rmSync(bundle, { recursive: true, force: true });
await bundleProgram(`${app}src/main.ts`, bundle, {
  // Only third-party plugins need oclif. It is not bundled.
  external: ["@oclif/core"],
  inject: [LIGHT_HEADERS],
  // While a snapshot is built, `using` ends Node.js 24 with a segmentation fault.
  plugins: [LOWER_USING],
});

// Help, and commands that load no more: see src/short.ts.
await bundleProgram(`${app}src/short.ts`, bundle, {
  entryPoints: { short: `${app}src/short.ts` },
  external: ["@oclif/core"],
  inject: [LIGHT_HEADERS],
  plugins: [WITHOUT_LATER_MODULES, LOWER_USING],
});

// The page of `dmg web`.
await buildPage(`${app}dist/page`);

/**
 * Runs a bundle with the Node options of bin/dmg, which must be the same.
 *
 * @param {string} name
 * @param {string[]} options of Node.js, besides those
 * @param {string[]} argv
 * @param {NodeJS.ProcessEnv} env
 */
function run(name, options, argv, env) {
  return spawnSync(process.execPath, [...NODE_FLAGS, ...options, `${bundle}/${name}.cjs`, ...argv], {
    env: { ...process.env, NODE_OPTIONS: "", ...env },
    encoding: "utf8",
  });
}

// A refused connection loads every module of a connected command.
run("main", [], ["-i", "-l", "127.0.0.1:1", "system", "member-query"], compileCache(bundle));
run("short", [], ["--help"], compileCache(bundle));
sealCompileCache(bundle);

// The snapshot is taken after a command has run: it keeps what that has compiled and loaded.
const server = spawn(process.execPath, [`${app}tools/bench-server.mjs`], {
  stdio: ["ignore", "pipe", "inherit"],
});
const [line] = await once(server.stdout, "data");
const { plain, plainConfig, certificates } = JSON.parse(String(line));
const snapshot = run(
  "main",
  ["--snapshot-blob", `${bundle}/snapshot-${process.version}.blob`, "--build-snapshot"],
  [],
  { DMG_WARM_UP: JSON.stringify({ port: plain, config: plainConfig, ...certificates }) },
);
server.kill();
if (snapshot.status !== 0) throw new Error(`no snapshot: ${snapshot.stderr}`);

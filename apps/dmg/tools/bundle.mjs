// Bundles dmg into dist/bundle: few files, compiled ahead of time. See docs/performance.md.
import { spawnSync } from "node:child_process";
import { chmodSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundleProgram } from "../../../tools/workspace/bundle-program.mjs";
import { findNode } from "./find-node.mjs";

/**
 * The same options as in bin/dmg: a compile cache is valid for one set of flags. A young generation of 16 MiB avoids
 * garbage collections at start-up.
 */
const NODE_FLAGS = ["--max-semi-space-size=16", "--min-semi-space-size=16"];

// The bundle names the exports of Node's own modules. They must be those of the Node.js that runs it.
const node = findNode();
if (realpathSync(process.execPath) !== realpathSync(node)) {
  const { status } = spawnSync(node, process.argv.slice(1), { stdio: "inherit" });
  process.exit(status ?? 1);
}

const app = fileURLToPath(new URL("..", import.meta.url));
const bundle = `${app}dist/bundle`;

rmSync(bundle, { recursive: true, force: true });
await bundleProgram(`${app}src/main.ts`, bundle, {
  // Only third-party plugins need oclif. It is not bundled.
  external: ["@oclif/core"],
  inject: [`${app}tools/light-headers.mjs`],
});

/** Runs the bundle with the Node options of bin/dmg, which must be the same. */
function run(options, argv, env) {
  return spawnSync(node, [...NODE_FLAGS, ...options, `${bundle}/main.cjs`, ...argv], {
    env: { ...process.env, NODE_OPTIONS: "", ...env },
    encoding: "utf8",
  });
}

// Fills the compile cache, so that an operator's first run is as fast as the second. The directory then needs to be
// writable by its owner only. A refused connection loads every module of a connected command.
const cache = { NODE_COMPILE_CACHE: `${bundle}/cache`, NODE_COMPILE_CACHE_PORTABLE: "1" };
run([], ["-i", "-l", "127.0.0.1:1", "system", "member-query"], cache);
chmodSync(`${bundle}/cache`, 0o755);
for (const entry of readdirSync(`${bundle}/cache`, { recursive: true, withFileTypes: true })) {
  chmodSync(`${entry.parentPath}/${entry.name}`, entry.isDirectory() ? 0o755 : 0o644);
}

const snapshot = run(
  ["--snapshot-blob", `${bundle}/snapshot-${process.version}.blob`, "--build-snapshot"],
  [],
  {},
);
if (snapshot.status !== 0) throw new Error(`no snapshot: ${snapshot.stderr}`);

// Bundles dmg into dist/bundle: few files, compiled ahead of time. See docs/performance.md.
import { spawnSync } from "node:child_process";
import { chmodSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { builtinModules } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
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

/**
 * Node's own modules are loaded at the first use of an export. An `import` of node:http would load undici and more, and
 * connect-node needs node:http and node:https for HTTP/1.1 only.
 */
const lazyBuiltins = {
  name: "lazy-builtins",
  setup(build) {
    const names = new Set(builtinModules);
    build.onResolve({ filter: /^(?:node:)?[a-z_0-9/]+$/ }, ({ path }) => {
      const name = path.replace(/^node:/, "");
      return path.startsWith("node:") || names.has(name) ? { path: name, namespace: "builtin" } : undefined;
    });
    build.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => {
      const id = JSON.stringify(`node:${path}`);
      const module = process.getBuiltinModule(`node:${path}`);
      if (typeof module === "function")
        return { contents: `module.exports = process.getBuiltinModule(${id});` };
      const getters = Object.keys(module).map((key) => {
        const name = JSON.stringify(key);
        return `get ${name}() { return load()[${name}]; }`;
      });
      const load = `let loaded; const load = () => (loaded ??= process.getBuiltinModule(${id}));`;
      return { contents: `${load}\nmodule.exports = {${getters.join(", ")}};` };
    });
  },
};

rmSync(bundle, { recursive: true, force: true });
await build({
  entryPoints: { main: `${app}src/main.ts` },
  outdir: bundle,
  outExtension: { ".js": ".cjs" },
  bundle: true,
  format: "cjs",
  platform: "node",
  target: "node24",
  minify: true,
  legalComments: "none",
  conditions: ["@daos/source"],
  mainFields: ["module", "main"],
  // Only third-party plugins need oclif. It is not bundled.
  external: ["@oclif/core"],
  inject: [`${app}tools/light-headers.mjs`],
  plugins: [lazyBuiltins],
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

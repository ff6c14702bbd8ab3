// Bundles daos-server into dist/bundle, with the native parts in dist/build and a compile cache: bin/daos-server runs that.
import { spawnSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundleProgram, IMPORT_META_URL } from "../../../tools/workspace/bundle-program.mjs";
import { compileCache, sealCompileCache } from "../../../tools/workspace/compile-cache.mjs";
import { continueOnFoundNode } from "../../../tools/workspace/find-node.mjs";

/** The same options as in bin/daos-server: a compile cache is valid for one set of flags. */
const NODE_FLAGS = ["--max-semi-space-size=1", "--heap-growing-percent=20"];

// The bundle names the exports of Node's own modules. They must be those of the Node.js that runs it.
continueOnFoundNode();

const app = fileURLToPath(new URL("..", import.meta.url));
const bundle = `${app}dist/bundle`;

rmSync(bundle, { recursive: true, force: true });
await bundleProgram(`${app}src/main.ts`, bundle, IMPORT_META_URL);
// The libraries find the native parts beside the directory of the module.
for (const library of ["drpc", "systemd"])
  cpSync(`${app}../../libs/${library}/build`, `${app}dist/build`, { recursive: true });

for (const argv of [["version"], ["config", "check", "-o", "/nonexistent.yml"]])
  spawnSync(process.execPath, [...NODE_FLAGS, `${bundle}/main.cjs`, ...argv], {
    env: { ...process.env, NODE_OPTIONS: "", ...compileCache(bundle) },
  });
sealCompileCache(bundle);

// Bundles daos-server into dist/bundle, with the native parts in dist/build and a compile cache: bin/daos-server runs that.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundleProgram, IMPORT_META_URL } from "../../../tools/workspace/bundle-program.mjs";

const app = fileURLToPath(new URL("..", import.meta.url));
const bundle = `${app}dist/bundle`;

rmSync(bundle, { recursive: true, force: true });
await bundleProgram(`${app}src/main.ts`, bundle, IMPORT_META_URL);
// libs/drpc finds them beside the directory of its module.
cpSync(`${app}../../libs/drpc/build`, `${app}dist/build`, { recursive: true });

// A cache is valid for one set of flags: those of bin/daos-server. It is filled here, so that a server's first start is as fast as the second. Others than the owner must not write to it.
const env = {
  ...process.env,
  NODE_OPTIONS: "",
  NODE_COMPILE_CACHE: `${bundle}/cache`,
  NODE_COMPILE_CACHE_PORTABLE: "1",
};
for (const argv of [["version"], ["config", "check", "-o", "/nonexistent.yml"]])
  spawnSync(process.execPath, ["--max-semi-space-size=2", `${bundle}/main.cjs`, ...argv], { env });
chmodSync(`${bundle}/cache`, 0o755);
for (const entry of readdirSync(`${bundle}/cache`, { recursive: true, withFileTypes: true })) {
  chmodSync(`${entry.parentPath}/${entry.name}`, entry.isDirectory() ? 0o755 : 0o644);
}

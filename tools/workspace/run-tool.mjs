// Builds everything, then runs a program of tools/ on the workspace's Node.js. `npm run test:simulation` uses it.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureBuilt } from "./ensure-built.mjs";
import {
  ensureCompiler,
  ensureDependencies,
  fail,
  nodeBinary,
  root,
  workspaceEnvironment,
} from "./prepare.mjs";

const [program, ...options] = process.argv.slice(2);
if (program === undefined) fail("run-tool.mjs: which program is missing, as in simulation/dist/main.js");
ensureDependencies();
ensureCompiler();
if (!ensureBuilt()) fail(`${program}: the build failed, see above.`);
const { status } = spawnSync(nodeBinary(), [join(root, "tools", program), ...options], {
  stdio: "inherit",
  env: workspaceEnvironment(),
});
process.exit(status ?? 1);

// npm run test:simulation, npm run bench: builds the simulation, then runs one of its programs on the workspace's Node.js.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureBuilt } from "../workspace/ensure-built.mjs";
import {
  ensureCompiler,
  ensureDependencies,
  fail,
  nodeBinary,
  root,
  workspaceEnvironment,
} from "../workspace/prepare.mjs";

const [program = "main.js", ...options] = process.argv.slice(2);
ensureDependencies();
ensureCompiler();
if (!ensureBuilt()) fail(`${program}: the build failed, see above.`);
const { status } = spawnSync(nodeBinary(), [join(root, "tools/simulation/dist", program), ...options], {
  stdio: "inherit",
  env: workspaceEnvironment(),
});
process.exit(status ?? 1);

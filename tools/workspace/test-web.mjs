// npm run test:web: the page of dmg web in a real browser, Debian's Chromium.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureBuilt } from "./ensure-built.mjs";
import {
  ensureCompiler,
  ensureDebianPackages,
  ensureDependencies,
  fail,
  nodeBinary,
  root,
  workspaceEnvironment,
} from "./prepare.mjs";

ensureDependencies();
ensureCompiler();
ensureDebianPackages({ "/usr/bin/chromium": "chromium" });
if (!ensureBuilt()) fail("The build failed: see above.");
const config = join(root, "tools/e2e/vitest.browser.config.mjs");
const { status, error } = spawnSync(
  nodeBinary(),
  [join(root, "node_modules/vitest/vitest.mjs"), "run", "--config", config, ...process.argv.slice(2)],
  { cwd: join(root, "tools/e2e"), env: workspaceEnvironment(), stdio: "inherit" },
);
if (error !== undefined) throw error;
process.exit(status ?? 1);

// A suite of end-to-end tests with its own script, because it needs more Debian packages than `npm test`.
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

/**
 * Sets the workspace up, runs the suite, and ends the process with its exit code.
 *
 * @param {string} config the configuration of Vitest, below tools/e2e
 * @param {Readonly<Record<string, string>>} packages program or absolute path -> Debian package
 */
export function runSuite(config, packages) {
  ensureDependencies();
  ensureCompiler();
  ensureDebianPackages(packages);
  if (!ensureBuilt()) fail("The build failed: see above.");
  const directory = join(root, "tools/e2e");
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const { status, error } = spawnSync(
    nodeBinary(),
    [vitest, "run", "--config", join(directory, config), ...process.argv.slice(2)],
    { cwd: directory, env: workspaceEnvironment(), stdio: "inherit" },
  );
  if (error !== undefined) throw error;
  process.exit(status ?? 1);
}

// Fails when libs/proto/src/gen differs from the output of `buf generate` for proto/.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fail, root, workspaceEnvironment } from "./prepare.mjs";

const directory = mkdtempSync(join(tmpdir(), "daos-generated-"));
try {
  run("buf", ["generate", "--output", directory]);
  const committed = join(root, "libs", "proto", "src", "gen");
  const done = run("diff", ["-r", "-u", committed, join(directory, "libs", "proto", "src", "gen")], {
    mayFail: true,
  });
  if (done.status !== 0)
    fail("libs/proto/src/gen is out of date: run `npx nx run @daos/proto:generate` and commit it.");
} finally {
  rmSync(directory, { recursive: true });
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ mayFail?: boolean }} [options]
 */
function run(command, args, { mayFail = false } = {}) {
  const done = spawnSync(command, args, { cwd: root, env: workspaceEnvironment(), stdio: ["ignore", 2, 2] });
  if (done.error !== undefined) fail(`${command} could not be run: ${done.error.message}`);
  if (done.status !== 0 && !mayFail) fail(`${command} ${args.join(" ")} failed`);
  return done;
}

// `npm start`: sets up the workspace if necessary, then runs a single-host DAOS system with the quickstart configuration.
// Arguments after `--` go to `daos-server start`.
import { spawn } from "node:child_process";
import { lstatSync, mkdirSync } from "node:fs";
import { constants, userInfo } from "node:os";
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

const { uid } = userInfo();
const directory = process.env.DAOS_QUICKSTART_DIR ?? `/tmp/daos-quickstart-${uid}`;
const configuration = join(root, "tools", "workspace", "quickstart", "daos_server.yml");

ensureDependencies();
ensureCompiler();
process.stderr.write("Building (a few seconds when something changed) ...\n");
if (!ensureBuilt()) fail("The build failed: see above.");

makeOwnDirectory(directory);
makeOwnDirectory(join(directory, "sockets"));

// Root mounts a tmpfs below the directory. Other users need a directory below a mount point: /dev/shm.
const storage =
  uid === 0 ? [] : ["--storage", process.env.DAOS_QUICKSTART_SCM ?? `/dev/shm/daos-quickstart-${uid}`];
const main = join(root, "apps", "daos-server", "dist", "bundle", "main.cjs");
const quickstart = ["--config", configuration, "--auto-format", ...storage];
process.stderr.write(
  `DAOS quickstart: storage, sockets and logs in ${directory}${storage.length === 0 ? "" : ` and ${storage[1]}`}\n`,
);

const server = spawn(nodeBinary(), [main, "start", ...quickstart, ...process.argv.slice(2)], {
  // The paths in the quickstart configuration are relative to the working directory.
  cwd: directory,
  env: workspaceEnvironment(),
  stdio: ["inherit", "inherit", "inherit", "ipc"],
});
server.on("message", (message) => {
  if (isServing(message)) showNextSteps(message.port);
});
// A closed terminal stops it too. The server itself would read its certificates again at SIGHUP.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => server.kill("SIGTERM"));
server.on("error", (error) => fail(`daos-server could not be started: ${error.message}`));
server.on("exit", (code, signal) => {
  process.exit(code ?? (signal === null ? 1 : 128 + constants.signals[signal]));
});

/**
 * Whether the message says that every engine serves.
 *
 * @param {unknown} message
 * @returns {message is { kind: "serving", port: number }}
 */
function isServing(message) {
  return typeof message === "object" && message !== null && "kind" in message && message.kind === "serving";
}

/**
 * Prints commands to try when every engine serves.
 *
 * @param {number} port of the server
 */
function showNextSteps(port) {
  const dmg = `./dmg -i -l localhost:${port}`;
  process.stdout.write(
    `\nDAOS is ready. From a second terminal in this directory:\n\n  ${dmg} system member-query\n` +
      `  ${dmg} pool create -s 256M\n  ${dmg} system list-pools\n  ${dmg} web\n\nCtrl-C stops it; the next npm start finds it again.\n\n`,
  );
}

/**
 * Creates a directory of this user. Refuses a directory of another user.
 *
 * @param {string} path
 */
function makeOwnDirectory(path) {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const found = lstatSync(path);
  if (!found.isDirectory() || found.uid !== uid) {
    fail(`${path} is not a directory of yours: remove it, or choose another one with DAOS_QUICKSTART_DIR.`);
  }
}

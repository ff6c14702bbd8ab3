import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Options of Node.js in bin/daos-server. V8 takes compiled code only with the flags that it was made with. */
const NODE_FLAGS = ["--max-semi-space-size=1"];

/** For esbuild: makes program.cjs the value that run-program.cjs calls. */
export const PROGRAM = {
  open: "(function (require, module, __filename, __dirname) {",
  close: "})",
};

/** An emulator of another architecture needs much longer than this machine. */
const TRAINING_MS = 60_000;
/** The time from the message that a server listens until its engine waits. */
const SETTLED_MS = 500;

/**
 * Completes the bundle of daos-server, which has program.cjs: adds main.cjs and the compiled code. Node's own compile cache has the
 * code of the top level only; these have what runs: `start.cache` until a server waits for its storage to be formatted, and
 * `short.cache`, which a short command loads sooner. Whoever can write to them chooses what the program runs.
 *
 * @param {string} bundle directory of the bundle
 * @param {readonly string[]} node the command that runs the Node.js of the bundle
 */
export async function addCodeCaches(bundle, node) {
  copyFileSync(tool("run-program.cjs"), join(bundle, "main.cjs"));
  const directory = mkdtempSync(join(tmpdir(), "daos-code-cache-"));
  try {
    await record(bundle, "short", node, directory, ["version"]);
    await record(bundle, "start", node, directory, ["start", "-i", "-o", await writeTraining(directory)]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/**
 * @param {string} bundle
 * @param {string} name of the cache
 * @param {readonly string[]} node
 * @param {string} directory
 * @param {readonly string[]} args
 */
async function record(bundle, name, [command = "", ...options], directory, args) {
  const cache = join(bundle, `${name}.cache`);
  const argv = [...options, ...NODE_FLAGS, tool("record-code-cache.cjs"), bundle, cache, ...args];
  const env = { ...process.env, NODE_OPTIONS: "", PATH: `${directory}:${process.env.PATH}` };
  const child = spawn(command, argv, { cwd: directory, env, stdio: ["ignore", "ignore", "pipe"] });
  const late = setTimeout(() => child.kill("SIGKILL"), TRAINING_MS);
  // A server runs until it is stopped.
  child.stderr.on("data", (/** @type {Buffer} */ text) => {
    if (text.includes("listening on")) setTimeout(() => child.kill("SIGTERM"), SETTLED_MS);
  });
  await once(child, "close");
  clearTimeout(late);
  if (!existsSync(cache)) throw new Error(`${args.join(" ")}: no compiled code of it`);
  chmodSync(cache, 0o644);
}

/**
 * Writes the files of a server that waits for the format of its storage, and changes nothing on this machine.
 *
 * @param {string} directory
 * @returns the configuration
 */
async function writeTraining(directory) {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (listener.address());
  listener.close();
  writeFileSync(join(directory, "daos_io_server"), "#!/bin/sh\n", { mode: 0o755 });
  mkdirSync(join(directory, "sockets"));
  const configuration = join(directory, "daos_server.yml");
  const text = readFileSync(tool("waiting-server.yml"), "utf8");
  writeFileSync(configuration, text.replaceAll("PORT", `${port}`).replaceAll("DIRECTORY", directory));
  return configuration;
}

/** @param {string} name */
function tool(name) {
  return fileURLToPath(new URL(name, import.meta.url));
}

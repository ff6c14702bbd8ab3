// Compiles native parts with the machine's C compiler and the headers of the pinned Node.js package. It needs no network
// and no node-gyp. N-API keeps an addon valid across Node.js versions.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The directory of node_api.h: in the pinned Node.js package of this machine, else in the running Node.js. */
function findHeaders() {
  const require = createRequire(import.meta.url);
  const candidates = [join(dirname(process.execPath), "..", "include", "node")];
  try {
    candidates.unshift(
      join(dirname(require.resolve(`node-linux-${process.arch}/package.json`)), "include", "node"),
    );
  } catch {
    // not installed: the package is for another platform, or `npm install --omit=optional` was used
  }
  const found = candidates.find((path) => existsSync(join(path, "node_api.h")));
  if (found === undefined) {
    fail(`no node_api.h in ${candidates.join(" or ")}`, "run npm install at the root of the workspace");
  }
  return found;
}

/**
 * @param {string} what
 * @param {string} resolution the remedy
 * @returns {never}
 */
function fail(what, resolution) {
  process.stderr.write(`native: it cannot be built: ${what}\nnative: ${resolution}\n`);
  process.exit(1);
}

/**
 * Renames the result into place, so that processes keep their open old file.
 *
 * @param {string} source
 * @param {string} output
 * @param {string[]} flags of this kind of output
 * @param {How} how
 *
 * @typedef {{ cc?: string, headers?: string }} How the compiler and the headers of Node.js, if they are not this machine's
 */
function compile(source, output, flags, { cc = process.env.CC ?? "cc" }) {
  mkdirSync(dirname(output), { recursive: true });
  const temporary = `${output}.${process.pid}.tmp`;
  const common = "-std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -Wl,-z,relro,-z,now";
  const { error, status } = spawnSync(cc, [...common.split(" "), ...flags, source, "-o", temporary], {
    stdio: "inherit",
  });
  if (error !== undefined || status !== 0) {
    rmSync(temporary, { force: true });
    const install = `${process.getuid?.() === 0 ? "" : "sudo "}apt-get install -y gcc libc6-dev`;
    if (error !== undefined && "code" in error && error.code === "ENOENT")
      fail(`there is no C compiler (${cc})`, install);
    fail(`${cc} failed`, `if headers are missing: ${install}`);
  }
  renameSync(temporary, output);
}

/** A Node.js addon. @param {string} source @param {string} output @param {How} [how] */
export function compileAddon(source, output, how = {}) {
  const flags = "-fPIC -shared -fvisibility=hidden -isystem".split(" ");
  compile(source, output, [...flags, how.headers ?? findHeaders()], how);
}

/** A program. @param {string} source @param {string} output @param {How} [how] */
export function compileProgram(source, output, how = {}) {
  compile(source, output, [], how);
}

// The architecture of the packages, and the differences when it is not this machine's.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { addCodeCaches } from "../code-cache.mjs";
import { compileCache, sealCompileCache } from "../compile-cache.mjs";
import { compileAddon, compileProgram } from "../compile-native.mjs";
import { fail, root } from "../prepare.mjs";

/**
 * @typedef {object} Target
 * @property {"amd64" | "arm64"} debian Debian's name
 * @property {"x64" | "arm64"} node the name in Node.js
 * @property {string} nodePackage the npm package with its Node.js
 * @property {number} machine e_machine of its ELF files
 * @property {boolean} isCross true for another architecture than this machine's
 * @property {string} cc
 * @property {string} strip
 * @property {Record<string, string>} tools additional programs, and the Debian packages that contain them
 */

const NAMES = /** @type {const} */ ({
  amd64: { node: "x64", machine: 0x3e },
  arm64: { node: "arm64", machine: 0xb7 },
});
/** Debian's cross compiler and its libraries. */
const SYSROOT = "/usr/aarch64-linux-gnu";
const QEMU = "qemu-aarch64-static";
const CROSS_TOOLS = {
  "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
  "aarch64-linux-gnu-strip": "binutils-aarch64-linux-gnu",
  [`${SYSROOT}/lib/libc.a`]: "libc6-dev-arm64-cross",
  [`${SYSROOT}/lib/libstdc++.so.6`]: "libstdc++6-arm64-cross",
  [QEMU]: "qemu-user-static",
};

/**
 * The target in `--arch`; this machine's architecture by default.
 *
 * @param {readonly string[]} args
 * @returns {Target}
 */
export function targetOf(args) {
  const own = process.arch === "arm64" ? "arm64" : "amd64";
  const [flag, wanted = "", ...rest] = args.length === 0 ? ["--arch", own] : args;
  if (flag !== "--arch" || rest.length > 0 || (wanted !== "amd64" && wanted !== "arm64"))
    return fail(`${args.join(" ")}: the only option is --arch amd64 or --arch arm64`);
  const isCross = wanted !== own;
  if (isCross && wanted !== "arm64") return fail("packages for amd64 are made on amd64 only");
  const { node, machine } = NAMES[wanted];
  return {
    debian: wanted,
    node,
    machine,
    nodePackage: `node-linux-${node}`,
    isCross,
    cc: isCross ? "aarch64-linux-gnu-gcc" : "cc",
    strip: isCross ? "aarch64-linux-gnu-strip" : "strip",
    tools: isCross ? CROSS_TOOLS : {},
  };
}

/**
 * The npm package with the Node.js of the target, from the registry, in the version of the lock file.
 *
 * @param {Target} target
 * @returns its directory
 */
export function crossNode({ nodePackage }) {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const { version, integrity } = lock.packages[`node_modules/${nodePackage}`];
  const home = join(root, "dist", `${nodePackage}-${version}`);
  if (existsSync(home)) return home;
  const work = `${home}.new`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  execFileSync("npm", ["pack", "--silent", `${nodePackage}@${version}`], { cwd: work, stdio: "inherit" });
  const tarball = join(work, `${nodePackage}-${version}.tgz`);
  const seen = `sha512-${createHash("sha512").update(readFileSync(tarball)).digest("base64")}`;
  if (seen !== integrity) fail(`${nodePackage}@${version} is not what package-lock.json has: ${seen}`);
  execFileSync("tar", ["-xzf", tarball, "-C", work]);
  renameSync(join(work, "package"), home);
  rmSync(work, { recursive: true });
  return home;
}

/**
 * Builds the native parts of daos-server for the target, in place of this machine's.
 *
 * @param {Target} target
 * @param {string} nodeHome
 * @param {string} build
 */
export function crossNative({ cc }, nodeHome, build) {
  rmSync(build, { recursive: true });
  const how = { cc, headers: join(nodeHome, "include/node") };
  const source = (/** @type {string} */ path) => join(root, "libs", path);
  compileAddon(source("drpc/native/seqpacket.c"), join(build, "seqpacket.node"), how);
  compileProgram(source("drpc/native/launch-engine.c"), join(build, "launch-engine"), how);
  compileAddon(source("systemd/native/datagram.c"), join(build, "datagram.node"), how);
}

/** Flags of the launcher in apps/dmg/bin, and command lines of its bundles: the first loads what most commands need. */
const DMG_FLAGS = ["--max-semi-space-size=8", "--min-semi-space-size=8"];
const DMG_LINES = /** @type {const} */ ([
  ["main.cjs", "-i", "-l", "127.0.0.1:1", "system", "member-query"],
  ["short.cjs", "--help"],
]);

/**
 * Compiles a bundle ahead of time like tools/bundle.mjs of its app, with the Node.js of the target in an emulator.
 *
 * @param {string} nodeHome
 * @param {string} bundle
 */
export async function fillCompileCache(nodeHome, bundle) {
  const node = [QEMU, "-L", SYSROOT, join(nodeHome, "bin/node")];
  if (bundle.endsWith("apps/daos-server/dist/bundle")) return addCodeCaches(bundle, node);
  const [command = "", ...options] = node;
  for (const [program, ...line] of DMG_LINES) {
    try {
      execFileSync(command, [...options, ...DMG_FLAGS, join(bundle, program), ...line], {
        stdio: "ignore",
        env: { ...process.env, NODE_OPTIONS: "", ...compileCache(bundle) },
      });
    } catch {
      // The first is meant to fail: what it asks for does not exist.
    }
  }
  if (!existsSync(join(bundle, "cache"))) fail(`${QEMU} did not run ${bundle}`);
  return sealCompileCache(bundle);
}

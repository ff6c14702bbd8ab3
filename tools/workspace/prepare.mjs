// The preparations of `npm start` and `npm test`. Plain JavaScript for Node 20 without dependencies, because a fresh clone has
// none installed.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { arch } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the workspace. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * Ends the program with a message.
 *
 * @param {string} message
 * @returns {never}
 */
export function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** Installs the dependencies in the lock file, unless they are installed. */
export function ensureDependencies() {
  if (dependenciesAreInstalled()) return;
  process.stderr.write("Installing dependencies (npm install) ...\n");
  const npm = process.env.npm_execpath;
  const [command, args] = npm === undefined ? ["npm", []] : [process.execPath, [npm]];
  // Not "npm ci", which refuses a lock file without the packages of other platforms. Not every registry has those.
  const settings = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const done = spawnSync(command, [...args, "install", ...settings], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    env: withoutNpmSettings(process.env),
  });
  if (done.status !== 0)
    fail("The dependencies could not be installed: see npm's message above, then try again.");
}

function dependenciesAreInstalled() {
  const installed = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installed) || !existsSync(nodeBinary())) return false;
  const manifests = ["apps", "libs", "tools"].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => join(root, folder, name, "package.json")),
  );
  const newest = Math.max(
    ...[join(root, "package-lock.json"), ...manifests]
      .filter(existsSync)
      .map((path) => statSync(path).mtimeMs),
  );
  return statSync(installed).mtimeMs >= newest || lockIsUnchanged(installed);
}

/**
 * Compares the installed packages with the lock file. File times are no help, because a checkout changes them.
 *
 * @param {string} installed npm's own lock file in node_modules
 */
function lockIsUnchanged(installed) {
  const wanted = readLock(join(root, "package-lock.json"));
  const present = readLock(installed);
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true;
    if (entry.optional === true && present[path] === undefined) return true;
    return present[path]?.version === entry.version && present[path]?.link === entry.link;
  });
}

/**
 * @param {string} path
 * @returns {Record<string, { version?: string, link?: boolean, optional?: boolean }>} the packages by their directories
 */
function readLock(path) {
  return JSON.parse(readFileSync(path, "utf8")).packages;
}

/**
 * npm passes its settings to scripts through the environment. An inner npm must not use them.
 *
 * @param {NodeJS.ProcessEnv} environment
 */
function withoutNpmSettings(environment) {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith("npm_config_")));
}

/** The Node 24 that the lock file pins. */
export function nodeBinary() {
  return join(root, "node_modules", `node-linux-${arch()}`, "bin", "node");
}

/** The environment for programs of the workspace: Node 24 and the pinned tools come first on PATH. */
export function workspaceEnvironment() {
  const bins = [join(root, "node_modules", ".bin"), dirname(nodeBinary())];
  return {
    ...withoutNpmSettings(process.env),
    PATH: [...bins, process.env.PATH].join(delimiter),
    NX_DAEMON: "false",
    NX_NO_CLOUD: "true",
  };
}

/** Debian packages by a program that they contain. */
const COMPILER = { cc: "gcc", "/usr/include/stdio.h": "libc6-dev" };

/**
 * Makes sure that some programs are installed. As root it installs missing Debian packages. For other users it prints the
 * command that does so.
 *
 * @param {Record<string, string>} programs program name or absolute path -> Debian package
 */
export function ensureDebianPackages(programs) {
  const missing = () => [
    ...new Set(
      Object.entries(programs)
        .filter(([program]) => !isInstalled(program))
        .map(([, name]) => name),
    ),
  ];
  const wanted = missing();
  if (wanted.length === 0) return;
  const install = `apt-get update && apt-get install -y --no-install-recommends ${wanted.join(" ")}`;
  if (process.getuid?.() !== 0)
    fail(`Debian packages are missing. Run this once, then try again:\n  sudo sh -c '${install}'`);
  process.stderr.write(`Installing Debian packages: ${wanted.join(" ")} ...\n`);
  const done = spawnSync("sh", ["-c", install], {
    stdio: ["ignore", "ignore", 2],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
  if (done.status !== 0 || missing().length > 0)
    fail(`The packages could not be installed. Try it by hand:\n  ${install}`);
  for (const name of wanted) stopService(name);
}

/**
 * Services of the packages that must not run, because the tests start their own processes.
 *
 * @type {Record<string, string>}
 */
const SERVICES = { "etcd-server": "etcd.service" };

/** @param {string} name of the package */
function stopService(name) {
  const service = SERVICES[name];
  if (service === undefined || !existsSync("/run/systemd/system")) return;
  spawnSync("systemctl", ["disable", "--now", service], { stdio: ["ignore", "ignore", 2] });
}

/** @param {string} program its name or absolute path */
function isInstalled(program) {
  if (program.startsWith("/")) return existsSync(program);
  const path = `${process.env.PATH}:/usr/local/sbin:/usr/sbin:/sbin`;
  return path.split(delimiter).some((directory) => existsSync(join(directory, program)));
}

/** A C compiler for the one native addon (libs/drpc). */
export function ensureCompiler() {
  ensureDebianPackages(COMPILER);
}

/**
 * The command that starts Nx, and how.
 *
 * @param {string[]} args
 */
export function nxCommand(args) {
  return {
    command: nodeBinary(),
    args: [join(root, "node_modules", "nx", "dist", "bin", "nx.js"), ...args, "--outputStyle=static"],
    options: { cwd: root, env: workspaceEnvironment() },
  };
}

/**
 * Runs Nx. Its output appears only when it fails.
 *
 * @param {string[]} args
 */
export function runNx(args) {
  const nx = nxCommand(args);
  const done = spawnSync(nx.command, nx.args, {
    ...nx.options,
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 256 * 1024 * 1024,
  });
  if (done.status !== 0) process.stderr.write(Buffer.concat([done.stdout, done.stderr]));
  return done.status === 0;
}

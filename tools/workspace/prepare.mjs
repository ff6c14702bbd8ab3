// Everything `npm start` and `npm test` need before the workspace itself can run. Plain JavaScript for Node 20 without
// dependencies: on a fresh clone nothing is installed yet.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { arch } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The top of the workspace. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * Ends the program with a message for people.
 *
 * @param {string} message
 * @returns {never}
 */
export function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

/** Installs the dependencies of the lock file, unless npm has done so since it last changed. */
export function ensureDependencies() {
  if (dependenciesAreInstalled()) return;
  process.stderr.write("Installing dependencies (npm install) ...\n");
  const npm = process.env.npm_execpath;
  const [command, args] = npm === undefined ? ["npm", []] : [process.execPath, [npm]];
  // Not "npm ci": it refuses a lock file without the packages of other platforms, which not every registry has.
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
 * A checkout touches files without changing them: compare what npm installed with what the lock file asks for.
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
 * npm hands its settings to scripts through the environment; an inner npm must not take them for its own.
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

/** Debian packages by the program that shows they are there. */
const COMPILER = { cc: "gcc", "/usr/include/stdio.h": "libc6-dev" };

/**
 * Makes sure that some programs are there. As root, missing Debian packages are installed; others are told the one
 * command that does it.
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
 * The tests start their own processes: what a package started with systemd is not left running.
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
 * Runs Nx; its output only appears when it fails.
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

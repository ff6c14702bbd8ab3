// `npm test`: sets up the workspace if necessary, then checks everything: formatting, lint and layers, types, the
// generated code, unit tests, and the end-to-end tests on real processes. Options are those of `nx run-many`.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { arch } from "node:os";
import { stripVTControlCharacters } from "node:util";
import { ensureCompiler, ensureDebianPackages, ensureDependencies, fail, nxCommand } from "./prepare.mjs";

const LIBRARIES = `/usr/lib/${arch() === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`;

/** The external programs that the tests use. */
const PACKAGES = {
  python3: "python3-minimal",
  setpriv: "util-linux",
  "mkfs.ext4": "e2fsprogs",
  mount: "mount",
  openssl: "openssl",
  script: "bsdutils",
  zsh: "zsh",
  fish: "fish",
  etcd: "etcd-server",
  [`${LIBRARIES}/faketime/libfaketimeMT.so.1`]: "libfaketime",
};

ensureDependencies();
ensureCompiler();
ensureDebianPackages(PACKAGES);
const options = process.argv.slice(2);
// ESLint checks all projects at once in a tenth of the time of separate runs.
const lint = options.length === 0 ? "lint-workspace" : "lint";
const targets = `check-generated,check-references,${lint},typecheck,native,build,test`;
let { status, output } = await runShown(nxCommand(["run-many", "-t", targets, ...options]));
/** @type {string[]} */
const repeats = output.match(/^REPEATED .*$/gm) ?? [];
const suites = status === 0 ? [] : failedSuites(output);
if (process.env.DAOS_TEST_AGAIN === "1" && suites.length > 0) {
  process.stdout.write(`${failures(output)}npm test: runs again: ${suites.join(", ")}\n`);
  ({ status, output } = await runShown(nxCommand(["run-many", "-t", "test", "-p", suites.join(",")])));
  repeats.push(
    ...suites.map((suite) => `REPEATED ${suite}: all its tests`),
    ...(output.match(/^REPEATED .*$/gm) ?? []),
  );
}
if (repeats.length > 0) process.stdout.write(`npm test: passed only when repeated:\n${repeats.join("\n")}\n`);
if (status !== 0) fail(`${failures(output)}npm test: something failed, see above.`);

/**
 * Runs a command, and shows and returns its output.
 *
 * @param {ReturnType<typeof nxCommand>} command
 */
async function runShown({ command, args, options }) {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  /** @type {Buffer[]} */
  const chunks = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      chunks.push(chunk);
      process.stdout.write(chunk);
    });
  }
  const [status] = await once(child, "close");
  return { status, output: stripVTControlCharacters(Buffer.concat(chunks).toString()) };
}

/**
 * The projects whose tests failed; none when another task has failed, which would fail again.
 *
 * @param {string} output
 */
function failedSuites(output) {
  const tasks = [...new Set(output.match(/(?<=^- )@daos\/\S+:\S+$/gm))];
  return tasks.every((task) => task.endsWith(":test")) ? tasks.map((task) => task.replace(/:test$/, "")) : [];
}

/**
 * The last lines of the failed tasks, repeated because thousands of lines may follow them.
 *
 * @param {string} output
 */
function failures(output) {
  const failed = new Set(output.match(/(?<=^- )@daos\/\S+$/gm));
  const tasks = output.split(/^> nx run (?=@daos\/)/m).slice(1);
  return tasks
    .filter((task) => {
      const [project = ""] = task.split(/\s/, 1);
      return failed.has(project);
    })
    .map((task) => `${task.split("\n").slice(0, -1).slice(-60).join("\n")}\n`)
    .join("\n");
}

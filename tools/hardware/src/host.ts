import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Machine } from "./machine.ts";
import { escapePattern, readResults } from "./results.ts";
import { quote, runInMachine } from "./run-in-machine.ts";

const MiB = 1024 * 1024;

/**
 * Hardware for two engines: two nodes, each with an NVDIMM and a fast controller; eight slow controllers for the benchmark;
 * and unusual ones.
 */
const MACHINE: Machine = {
  nodes: 2,
  memoryMiB: 2048,
  nvme: [
    { serial: "FAST0", sizeMiB: 256 },
    { serial: "FAST1", sizeMiB: 256 },
    ...Array.from({ length: 8 }, (_, index) => ({
      serial: `SLOW${index}`,
      sizeMiB: 96,
      bytesPerSecond: 8 * MiB,
    })),
    {
      serial: "GAP",
      namespaces: [
        { id: 2, sizeMiB: 32 },
        { id: 7, sizeMiB: 32 },
      ],
    },
    { serial: "NONE", namespaces: [] },
    { serial: "PATHS", subsystem: "paths", namespaces: [{ id: 1, sizeMiB: 32 }] },
    { serial: "PATHS", subsystem: "paths", namespaces: [] },
    {
      serial: "LARGE",
      namespaces: [{ id: 1, sizeMiB: 32, options: "logical_block_size=4096,physical_block_size=4096" }],
    },
    { serial: "PROTECTED", namespaces: [{ id: 1, sizeMiB: 32, options: "ms=8,pi=1" }] },
    { serial: "EXTENDED", namespaces: [{ id: 1, sizeMiB: 32, options: "ms=16,mset=1" }] },
    { serial: "ZONED", namespaces: [{ id: 1, sizeMiB: 32, options: "zoned=on,zoned.zone_size=4M" }] },
    {
      serial: "FUNCTIONS",
      subsystem: "functions",
      options: "sriov_max_vfs=1,sriov_vq_flexible=2,sriov_vi_flexible=1",
      namespaces: [{ id: 1, sizeMiB: 32 }],
    },
  ],
  nvdimmsMiB: [512, 512],
};
/** As in guest/init. */
const OWN_IN_GUEST = ["/tmp/", "/run/", "/dev/"];
const TIMEOUT_MS = 30 * 60_000;

const { values: options } = parseArgs({
  options: {
    /** Runs only the checks whose names match this regular expression. */
    only: { type: "string", default: "" },
    /** A failed check is repeated once, in its own machine. */
    again: { type: "boolean", default: false },
  },
});
const here = dirname(fileURLToPath(import.meta.url));
const own = OWN_IN_GUEST.find((directory) => `${here}/`.startsWith(directory));
if (own !== undefined) {
  process.stderr.write(`the machine has a ${own} of its own, without this checkout: put it elsewhere\n`);
  process.exit(1);
}
const first = await run(options.only);
process.exitCode = first.status;
if (options.again && first.status !== 0 && first.failed.length > 0) {
  process.stdout.write(`once more, alone: ${first.failed.join("; ")}\n`);
  const second = await run(`^(?:${first.failed.map(escapePattern).join("|")})$`);
  process.exitCode = second.status;
}

/** Boots a machine, and runs the matching checks in it. */
async function run(only: string): Promise<{ readonly status: number; readonly failed: readonly string[] }> {
  const checks = [
    process.execPath,
    ...(only === "" ? [] : [`--test-name-pattern=/${only}/`]),
    join(here, "guest.js"),
  ];
  let output = "";
  const boot = () =>
    runInMachine(MACHINE, {
      cache: join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "daos-hardware"),
      guest: join(here, "../guest"),
      command: checks.map(quote).join(" "),
      timeoutMs: TIMEOUT_MS,
      onOutput: (text) => {
        output += text;
        process.stdout.write(text);
      },
    });
  let result = await boot();
  if (result.panicked) {
    process.stderr.write(
      `${result.console}\nthe kernel panicked before the first check: booting once more\n`,
    );
    result = await boot();
  }
  if (result.status === undefined) {
    process.stderr.write(`${result.console}\nthe virtual machine ended before the checks did\n`);
  }
  const seconds = (ms: number) => (ms / 1000).toFixed(1);
  process.stdout.write(
    `hardware suite: ${result.accel}, boot ${seconds(result.bootMs)} s, checks ${seconds(result.runMs)} s\n`,
  );
  const { passed, failed } = readResults(output);
  if (result.status === 0 && passed === 0) {
    process.stderr.write(`no check has a name that matches ${JSON.stringify(only)}\n`);
    return { status: 1, failed };
  }
  return { status: result.status ?? 1, failed };
}

import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Machine } from "./machine.ts";
import { quote, runInMachine } from "./run-in-machine.ts";

const MiB = 1024 * 1024;

/** Two engines' worth: a node each with an NVDIMM and a fast controller; and eight slow ones for the benchmark. */
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
  ],
  nvdimmsMiB: [512, 512],
};
const TIMEOUT_MS = 30 * 60_000;

const here = dirname(fileURLToPath(import.meta.url));
const run = () =>
  runInMachine(MACHINE, {
    cache: join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "daos-hardware"),
    guest: join(here, "../guest"),
    command: [process.execPath, join(here, "guest.js"), ...process.argv.slice(2)].map(quote).join(" "),
    timeoutMs: TIMEOUT_MS,
    onOutput: (text) => process.stdout.write(text),
  });
let result = await run();
if (result.panicked) {
  process.stderr.write(`${result.console}\nthe kernel panicked before the first check: booting once more\n`);
  result = await run();
}
if (result.status === undefined) {
  process.stderr.write(`${result.console}\nthe virtual machine ended before the checks did\n`);
}
const seconds = (ms: number) => (ms / 1000).toFixed(1);
process.stdout.write(
  `hardware suite: ${result.accel}, boot ${seconds(result.bootMs)} s, checks ${seconds(result.runMs)} s\n`,
);
process.exitCode = result.status ?? 1;

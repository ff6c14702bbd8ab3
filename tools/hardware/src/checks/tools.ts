import { strict as assert } from "node:assert";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { type TestContext, test } from "node:test";
import { type Fault, hasCode } from "@daos/fault";
import { createLogger, formatConsoleLine } from "@daos/log";
import {
  type Argv,
  type CommandRunner,
  delay,
  hasErrorCode,
  ProcessCommandRunner,
  type RunOptions,
} from "@daos/sys";

/** A check: its name, and a function that throws on failure. Checks run one at a time, in the order of the files. */
export function check(name: string, work: (context: TestContext) => Promise<void>): void {
  void test(name, work);
}

export const runner = new ProcessCommandRunner();

/** Shown only for a failed check: `HARDWARE_LOG=1 npm run test:hardware`. */
export const log = createLogger(
  (record) => {
    process.stderr.write(`${formatConsoleLine(record)}\n`);
  },
  { level: process.env.HARDWARE_LOG === undefined ? "ERROR" : "DEBUG" },
);

/** For a tool in a machine that is emulated on a busy host. */
const COMMAND_TIMEOUT_MS = 120_000;

/** Runs a tool, which must succeed. Returns its output. */
export async function sh(...argv: Argv): Promise<string> {
  const { exitCode, stdout, stderr } = await runner.run(argv, { timeoutMs: COMMAND_TIMEOUT_MS });
  assert.equal(exitCode, 0, `${argv.join(" ")}: ${stderr}`);
  return stdout;
}

/** A runner that reports these tools as not installed. */
export function without(...tools: readonly string[]): CommandRunner {
  return {
    run: (argv: Argv, options?: RunOptions) =>
      tools.includes(argv[0])
        ? Promise.reject(Object.assign(new Error(`spawn ${argv[0]} ENOENT`), { code: "ENOENT" }))
        : runner.run(argv, options),
  };
}

/** The fault that `work` must fail with. */
export async function faultOf(work: Promise<unknown>, code: number): Promise<Fault> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(hasCode(error, code), `fault ${code} was expected, not ${String(error)}`);
  assert.notEqual(error.resolution, "");
  return error;
}

/** The PCI addresses of the controllers that the kernel's driver has, of all or of those with this serial number. */
export async function addressesOf(serial?: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of await readdir("/sys/class/nvme")) {
    const read = async (file: string) => (await readFile(`/sys/class/nvme/${name}/${file}`, "utf8")).trim();
    try {
      if (serial === undefined || (await read("serial")) === serial) found.push(await read("address"));
    } catch (error) {
      // It has left its driver since it was listed.
      if (!hasErrorCode(error, "ENOENT", "ENODEV")) throw error;
    }
  }
  return found;
}

/** The PCI address of the controller with this serial number. The order of names and addresses is undefined. */
export async function addressOf(serial: string): Promise<string> {
  const [address] = await addressesOf(serial);
  if (address === undefined) throw new Error(`there is no controller ${serial}`);
  return address;
}

/** `/dev/nvme0n1` of the controller at an address. */
export async function deviceOf(address: string): Promise<string> {
  const [name = "?"] = await readdir(`/sys/bus/pci/devices/${address}/nvme`);
  return `/dev/${basename(name)}n1`;
}

/**
 * Gives the modules empty labels, so that their capacity is free. One module gets blank labels: it is like a module without
 * label space, and the kernel creates one raw namespace on it. The kernel reads labels when it detects the modules.
 */
export async function blankLabels(module: string): Promise<void> {
  await sh("ndctl", "disable-region", "all");
  await sh("ndctl", "init-labels", "-f", "all");
  await sh("ndctl", "zero-labels", module);
  await sh("rmmod", "nfit");
  await sh("modprobe", "nfit");
  await until("a raw namespace", async () =>
    (await readdir("/sys/class/block")).some((name) => name.startsWith("pmem")),
  );
}

/** Writes one of the kernel's files. */
export async function write(path: string, value: string): Promise<void> {
  await writeFile(path, value);
}

/**
 * Waits until a condition holds, at most two minutes or `ms` milliseconds. The machine may be emulated on a busy host.
 */
export async function until(what: string, holds: () => Promise<boolean>, ms = 120_000): Promise<void> {
  for (const end = performance.now() + ms; performance.now() < end; ) {
    if (await holds()) return;
    await delay(100);
  }
  throw new Error(`${what} did not come`);
}

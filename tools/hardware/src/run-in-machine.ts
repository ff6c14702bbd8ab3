import { type ChildProcess, spawn } from "node:child_process";
import { access, constants, mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { guestSystem, initramfs } from "./guest-system.ts";
import { imageSizes, type Machine, qemuArguments } from "./machine.ts";

export interface RunOptions {
  /** The cache of kernel and busybox between runs. */
  readonly cache: string;
  /** The directory with the guest's two stages. */
  readonly guest: string;
  /** A shell command. It runs as root in the current directory. */
  readonly command: string;
  /** The machine is stopped after this time, ms. */
  readonly timeoutMs: number;
  /** Gets the command's output as it arrives. */
  readonly onOutput: (text: string) => void;
}

/** The end of a run. `status` is the command's exit code, undefined when the machine ended before it. */
export interface RunResult {
  readonly status: number | undefined;
  readonly bootMs: number;
  readonly runMs: number;
  /** The last lines of the guest's console. */
  readonly console: string;
  /** The kernel panicked before the command printed anything. */
  readonly panicked: boolean;
  readonly accel: "kvm" | "tcg";
}

const POLL_MS = 100;

/**
 * Runs a command in a virtual machine. It sees the host's file system below a scratch layer: programs, libraries and
 * the checkout are the host's, and changes to files are discarded.
 */
export async function runInMachine(machine: Machine, options: RunOptions): Promise<RunResult> {
  const system = await guestSystem(options.cache);
  const work = await mkdtemp(join(tmpdir(), "daos-hardware-"));
  try {
    const files = {
      kernel: system.kernel,
      modules: system.modules,
      initramfs: join(work, "initramfs"),
      console: join(work, "console"),
      control: join(work, "control"),
      images: work,
    };
    await mkdir(files.control);
    await writeFile(
      files.initramfs,
      await initramfs(system, await readFile(join(options.guest, "init"), "utf8")),
    );
    for (const [name, sizeMiB] of imageSizes(machine)) await sparseFile(join(work, name), sizeMiB);
    const control = {
      main: await readFile(join(options.guest, "main"), "utf8"),
      hostname: hostname(),
      command: `cd ${quote(process.cwd())} || exit 125\n${options.command}\n`,
      output: "",
    };
    for (const [name, text] of Object.entries(control)) await writeFile(join(files.control, name), text);
    await writeFile(files.console, "");
    const accel = await accelerator();
    // The machine ends when this process ends.
    const qemuCommand = [
      "--pdeathsig",
      "KILL",
      "qemu-system-x86_64",
      ...qemuArguments(machine, files, accel),
    ];
    const qemu = spawn("setpriv", qemuCommand, {
      stdio: ["ignore", "inherit", "inherit"],
    });
    return await watch(qemu, files, accel, options);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function watch(
  qemu: ChildProcess,
  files: { readonly control: string; readonly console: string },
  accel: "kvm" | "tcg",
  options: RunOptions,
): Promise<RunResult> {
  const begin = performance.now();
  let booted: number | undefined;
  let failure: unknown;
  let ended = false;
  const end = new Promise<void>((resolve) => {
    qemu.once("error", (error) => {
      failure = error;
      resolve();
    });
    qemu.once("exit", () => resolve());
  }).then(() => {
    ended = true;
  });
  const kill = () => qemu.kill("SIGKILL");
  const timer = setTimeout(kill, options.timeoutMs);
  process.once("exit", kill);
  const output = await open(join(files.control, "output"), "r");
  let silent = true;
  const drain = async () => {
    for (;;) {
      const { bytesRead, buffer } = await output.read(Buffer.alloc(65_536));
      if (bytesRead === 0) return;
      silent = false;
      options.onOutput(buffer.subarray(0, bytesRead).toString("utf8"));
    }
  };
  try {
    while (!ended) {
      await Promise.race([end, new Promise((resolve) => setTimeout(resolve, POLL_MS))]);
      if (booted === undefined && (await readIfThere(join(files.control, "started"))) !== undefined) {
        booted = performance.now();
      }
      await drain();
    }
  } finally {
    clearTimeout(timer);
    process.removeListener("exit", kill);
    await output.close();
  }
  if (failure !== undefined) throw failure;
  const status = await readIfThere(join(files.control, "status"));
  const console = (await readFile(files.console, "utf8")).split("\n").slice(-40).join("\n");
  const now = performance.now();
  return {
    status: status === undefined || status.trim() === "" ? undefined : Number(status),
    bootMs: (booted ?? now) - begin,
    runMs: now - (booted ?? now),
    console,
    panicked: silent && console.includes("Kernel panic"),
    accel,
  };
}

/** KVM needs hardware support. A /dev/kvm without vmx or svm works for special kernels only. */
async function accelerator(): Promise<"kvm" | "tcg"> {
  try {
    await access("/dev/kvm", constants.R_OK | constants.W_OK);
  } catch {
    return "tcg";
  }
  return /\b(vmx|svm)\b/.test(await readFile("/proc/cpuinfo", "utf8")) ? "kvm" : "tcg";
}

async function sparseFile(path: string, sizeMiB: number): Promise<void> {
  const file = await open(path, "w");
  await file.truncate(sizeMiB * 1024 * 1024);
  await file.close();
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

/** Quotes a word for the shell. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

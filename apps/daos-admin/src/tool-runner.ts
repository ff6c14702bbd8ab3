import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { constants } from "node:fs";
import { type FileHandle, realpath } from "node:fs/promises";
import { FaultCode, hasCode } from "@daos/fault";
import {
  type Argv,
  type CommandResult,
  type CommandRunner,
  hasErrorCode,
  type RunOptions,
  startProcess,
} from "@daos/sys";
import { openTrusted, type TrustOptions } from "./trusted-path.ts";

/** Every program that the helper runs, and where it may be. `/bin` and `/sbin` are links on most systems. */
export const TOOLS: ReadonlySet<string> = new Set([
  "blkdiscard",
  "blkid",
  "blockdev",
  "cxl",
  "flock",
  "ipmctl",
  "mkfs.ext4",
  "modprobe",
  "mount",
  "ndctl",
  "nvme",
  "udevadm",
  "umount",
  "wipefs",
]);
const DIRECTORIES: readonly string[] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
const MAX_OUTPUT = 1024 * 1024;
/** The exit code of `flock` for a lock that is held. */
const CONFLICT = 75;

/**
 * Runs the tools of the providers as root. It runs only listed tools, by absolute path, and only when only root can
 * have installed them. A tool gets an empty environment, bounded output, and no descriptors but 0 to 2.
 */
export class ToolRunner implements CommandRunner {
  readonly #trust: TrustOptions;

  constructor(trust: TrustOptions = {}) {
    this.#trust = trust;
  }

  async run(argv: Argv, options: RunOptions = {}): Promise<CommandResult> {
    const [name, ...args] = argv;
    return execute(await this.#find(name), args, options);
  }

  /**
   * Takes flock(2) on an open file. The lock belongs to the open file, which the tool shares with this process. It
   * outlives the tool, and is released when this process closes the file or ends.
   *
   * @returns false when another process holds it for longer than `waitMs`
   */
  async lock(
    file: FileHandle,
    options: {
      readonly shared: boolean;
      readonly waitMs: number;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<boolean> {
    const { shared, waitMs, signal } = options;
    const args = [shared ? "-s" : "-x", "-E", `${CONFLICT}`, "-w", (waitMs / 1000).toFixed(3), "3"];
    const path = await this.#find("flock");
    const { exitCode, stderr } = await execute(path, args, {
      signal,
      timeoutMs: waitMs + 10_000,
      descriptor: file.fd,
    });
    if (exitCode === 0) return true;
    if (exitCode === CONFLICT) return false;
    throw new Error(`flock ended with ${exitCode}: ${stderr.trim()}`);
  }

  /** @throws Error with code ENOENT when it is not installed, or not on the list */
  async #find(name: string): Promise<string> {
    if (TOOLS.has(name)) {
      for (const directory of DIRECTORIES) {
        const path = `${directory}/${name}`;
        if (await this.#isTrusted(path)) return path;
      }
    }
    throw Object.assign(new Error(`${name}: no such tool for the helper`), { code: "ENOENT" });
  }

  /** A tool may be a link (mkfs.ext4 to mke2fs), when the link's target is trusted. */
  async #isTrusted(path: string): Promise<boolean> {
    try {
      const file = await openTrusted(await realpath(path), constants.O_RDONLY, this.#trust);
      await file?.close();
      return file !== undefined;
    } catch (error) {
      if (hasErrorCode(error, "ENOENT") || hasCode(error, FaultCode.helperUntrustedPath)) return false;
      throw error;
    }
  }
}

async function execute(
  path: string,
  args: readonly string[],
  options: RunOptions & {
    /** The tool gets it as descriptor 3. */
    readonly descriptor?: number;
  },
): Promise<CommandResult> {
  const { signal, timeoutMs = 30_000, stdin = "", descriptor } = options;
  // It may have aborted while the tool was searched.
  signal?.throwIfAborted();
  const child = await startProcess<ChildProcessWithoutNullStreams>(path, args, {
    cwd: "/",
    env: {},
    stdio: ["pipe", "pipe", "pipe", ...(descriptor === undefined ? [] : [descriptor])],
  });
  return new Promise((resolve, reject) => {
    let failure: unknown;
    const kill = (reason: unknown) => {
      failure ??= reason;
      child.kill("SIGKILL");
    };
    const onAbort = () => kill(signal?.reason);
    const timer = setTimeout(() => kill(new Error(`${path} was killed after ${timeoutMs} ms`)), timeoutMs);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
    const settle = (done: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      done();
    };
    const outputs = [child.stdout, child.stderr].map((stream) => {
      const chunks: Buffer[] = [];
      let size = 0;
      stream.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_OUTPUT) kill(new Error(`${path} printed more than ${MAX_OUTPUT} bytes`));
        else chunks.push(chunk);
      });
      return chunks;
    });
    child.once("error", (error) => settle(() => reject(error)));
    child.once("close", (exitCode, endedBy) => {
      const [stdout = "", stderr = ""] = outputs.map((chunks) => Buffer.concat(chunks).toString("utf8"));
      settle(() => {
        if (failure === undefined) resolve({ exitCode, signal: endedBy, stdout, stderr });
        else reject(failure);
      });
    });
    // A tool that ends without reading its input is no error.
    child.stdin.on("error", () => {});
    child.stdin.end(stdin);
  });
}

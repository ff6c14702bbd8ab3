import type { ChildProcess, ChildProcessByStdio } from "node:child_process";
import { access, constants } from "node:fs/promises";
import type { Readable } from "node:stream";
import { ENGINE_LAUNCHER } from "@daos/drpc";
import type { Logger } from "@daos/log";
import { logEngineOutput } from "@daos/log-sink";
import { deadline, startProcess } from "@daos/sys";
import { faultEngineStart } from "./faults.ts";

/** How an engine's process ended. */
export interface EngineExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** `exit code 3`, or `killed by SIGKILL`. */
export function showExit(exit: EngineExit): string {
  return exit.signal === null ? `exit code ${exit.code}` : `killed by ${exit.signal}`;
}

export interface EngineProcessOptions {
  readonly index: number;
  readonly executable: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The engine's stdout goes here as info, its stderr as error. */
  readonly log: Logger;
  /** A lock on the storage that the process inherits: as long as it runs, no other server can take the storage. */
  readonly lockFd?: number | undefined;
}

/** A running `daos_io_server`. It dies with the server: the kernel kills it when its parent is gone. */
export class EngineProcess {
  readonly pid: number;
  /** Settles when the process has ended and its output has been read. */
  readonly exited: Promise<EngineExit>;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, pid: number, exited: Promise<EngineExit>) {
    this.#child = child;
    this.pid = pid;
    this.exited = exited;
  }

  /** @throws Fault engineStartFailed when there is nothing that can be executed */
  static async start(options: EngineProcessOptions): Promise<EngineProcess> {
    const { index, executable, args, env, log, lockFd } = options;
    try {
      await access(executable, constants.X_OK);
    } catch (error) {
      throw faultEngineStart(index, executable, error);
    }
    const child = await startProcess<ChildProcessByStdio<null, Readable, Readable>>(
      ENGINE_LAUNCHER,
      [`${process.pid}`, executable, ...args],
      { env, stdio: ["ignore", "pipe", "pipe", ...(lockFd === undefined ? [] : [lockFd])], detached: true },
    ).catch((error: unknown) => {
      throw faultEngineStart(index, executable, error);
    });
    const exited = new Promise<EngineExit>((resolve) => {
      child.once("close", (code, signal) => resolve({ code, signal }));
    });
    const { pid } = child;
    if (pid === undefined) throw faultEngineStart(index, executable, "it has no process id");
    logEngineOutput({ index, stdout: child.stdout, stderr: child.stderr, log });
    return new EngineProcess(child, pid, exited);
  }

  /** Asks the process to end (SIGTERM), and after `graceMs` makes it (SIGKILL). Resolves when it has ended. */
  async stop(graceMs: number): Promise<EngineExit> {
    this.#child.kill("SIGTERM");
    using limit = deadline(graceMs, "engine to stop");
    limit.signal.addEventListener("abort", () => this.#child.kill("SIGKILL"), { once: true });
    return await this.exited;
  }
}

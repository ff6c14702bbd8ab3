import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { abortable, deadline, delay } from "@daos/sys";

/** The root of the workspace. */
export const WORKSPACE = fileURLToPath(new URL("../../..", import.meta.url));

/** The exit code and the output of a program. */
export interface Ended {
  /** 128 + n when it was ended by signal n, as in a shell. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the caller writes to `child.stdin`. */
  readonly input?: boolean;
  /** Receives its messages on the IPC channel. */
  readonly onMessage?: (message: unknown) => void;
}

/** A running program. It collects the output. */
export class Program {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly #name: string;
  #output = { stdout: "", stderr: "" };

  constructor(argv: readonly [string, ...string[]], options: ProgramOptions = {}) {
    const [command, ...args] = argv;
    this.#name = argv.join(" ");
    const ipc = options.onMessage === undefined ? [] : (["ipc"] as const);
    this.child = spawn(command, args, {
      cwd: options.cwd ?? WORKSPACE,
      // The test runner requests colours. Node.js warns when both settings are present.
      env: { ...process.env, FORCE_COLOR: undefined, NO_COLOR: "1", ...options.env },
      stdio: [options.input === true ? "pipe" : "ignore", "pipe", "pipe", ...ipc],
    });
    if (options.onMessage !== undefined) this.child.on("message", options.onMessage);
    for (const name of ["stdout", "stderr"] as const) {
      this.child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
        this.#output[name] += chunk;
      });
    }
    this.ended = new Promise((resolve, reject) => {
      this.child.once("error", reject);
      this.child.once("close", (code, signal) => {
        resolve({ exitCode: code ?? 128 + (signal === "SIGKILL" ? 9 : 15), ...this.#output });
      });
    });
    // The rejection must not fail a test that does not wait for the end.
    this.ended.catch(() => {});
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  get output(): string {
    return this.#output.stdout + this.#output.stderr;
  }

  /** Waits until its output matches. @throws Error with its output after `ms` */
  async printed(text: RegExp, ms = 120_000): Promise<void> {
    using limit = deadline(ms, `${this.#name} to print ${text}`);
    while (!text.test(this.output)) {
      if (!this.running || limit.signal.aborted)
        throw new Error(`${this.#name} did not print ${text}, but:\n${this.output}`);
      await delay(50);
    }
  }

  /** Waits for the end of the program. @throws Error with its output after `ms`, whose default suits a busy machine */
  async end(ms = 120_000): Promise<Ended> {
    using limit = deadline(ms, `end of ${this.#name}`);
    try {
      return await abortable(this.ended, limit.signal);
    } catch (error) {
      this.child.kill("SIGKILL");
      throw new Error(`${this.#name} did not end; it printed:\n${this.output}`, { cause: error });
    }
  }
}

/** Runs a program to its end. */
export function run(argv: readonly [string, ...string[]], options?: ProgramOptions): Promise<Ended> {
  return new Program(argv, options).end();
}

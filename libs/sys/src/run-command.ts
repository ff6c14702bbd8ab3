import type { ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { startProcess } from "./start-process.ts";

/** An executable (absolute path, or a name looked up in a fixed system PATH) and its arguments. No shell is involved. */
export type Argv = readonly [executable: string, ...args: string[]];

export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  /** Time after which the command is killed (SIGKILL), ms; 30,000 by default. */
  readonly timeoutMs?: number;
  readonly stdin?: string;
}

/** How a command ended. */
export interface CommandResult {
  /** `null` when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The port through which providers run tools such as `ndctl`. */
export interface CommandRunner {
  /**
   * Runs a command to its end. A non-zero exit is an answer, not an error.
   *
   * @throws Error with `code: "ENOENT"` when there is no such executable; Fault processNotStarted; the signal's reason; an Error when the time
   *   limit or the output limit (8 MiB) is exceeded
   */
  run(argv: Argv, options?: RunOptions): Promise<CommandResult>;
}

/** Tools are searched here only, whatever the caller's PATH is. */
const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const MAX_OUTPUT = 8 * 1024 * 1024;

/** The real {@link CommandRunner}: fixed PATH, C locale, bounded time and output. */
export class ProcessCommandRunner implements CommandRunner {
  async run(argv: Argv, options: RunOptions = {}): Promise<CommandResult> {
    const { signal, timeoutMs = 30_000, stdin = "" } = options;
    signal?.throwIfAborted();
    const [executable, ...args] = argv;
    const child = await startProcess<ChildProcessByStdio<Writable, Readable, Readable>>(executable, args, {
      env: { PATH: SYSTEM_PATH, LC_ALL: "C" },
      stdio: ["pipe", "pipe", "pipe"],
    });
    return new Promise((resolve, reject) => {
      let failure: unknown;
      const kill = (reason: unknown) => {
        failure ??= reason;
        child.kill("SIGKILL");
        // Processes that the command started in the background may keep the pipes open for ever.
        child.stdout.destroy();
        child.stderr.destroy();
      };
      const onAbort = () => kill(signal?.reason);
      const timer = setTimeout(
        () => kill(new Error(`"${argv.join(" ")}" was killed after ${timeoutMs} ms`)),
        timeoutMs,
      );
      if (signal?.aborted) onAbort();
      else signal?.addEventListener("abort", onAbort, { once: true });
      const outputs = [child.stdout, child.stderr].map((stream) => {
        const chunks: Buffer[] = [];
        let size = 0;
        stream.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_OUTPUT) kill(new Error(`"${argv.join(" ")}" printed more than ${MAX_OUTPUT} bytes`));
          else chunks.push(chunk);
        });
        return chunks;
      });
      const settle = (done: () => void) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        done();
      };
      child.once("error", (error) => settle(() => reject(error)));
      child.once("close", (exitCode, endedBy) => {
        const [stdout = "", stderr = ""] = outputs.map((chunks) => Buffer.concat(chunks).toString("utf8"));
        settle(() => {
          if (failure !== undefined) reject(failure);
          else resolve({ exitCode, signal: endedBy, stdout, stderr });
        });
      });
      // A command that ends without reading its input is not an error.
      child.stdin.on("error", () => {});
      child.stdin.end(stdin);
    });
  }
}

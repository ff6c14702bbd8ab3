import { isatty } from "node:tty";
import type { Terminal } from "./terminal.ts";

/**
 * The terminal of this process. The first Ctrl-C aborts its signal, which cancels the calls on the servers. The second
 * Ctrl-C ends the process. When output cannot be written, as on a full disk, the process ends with one line on stderr
 * and exit code 1.
 *
 * @param program its name, for that line
 */
export function processTerminal(program: string): Terminal {
  const abort = new AbortController();
  process.on("SIGINT", () => {
    if (abort.signal.aborted) process.exit(130);
    abort.abort(new DOMException("interrupted", "AbortError"));
  });
  // Reading process.stdin opens a stream, which most commands do not need.
  const askable = isatty(0) && isatty(2);
  const { stdout, stderr } = process;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    // A reader such as `head` may close the pipe early. That is no error.
    if (error.code === "EPIPE") return;
    stderr.write(`${program}: cannot write the output: ${error.message}\n`);
    process.exit(1);
  });
  // A failure of stderr cannot be reported. Only the exit code remains.
  stderr.on("error", () => {});
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    // A terminal of unknown width has 0 columns.
    columns: stdout.isTTY ? stdout.columns || 80 : Number.POSITIVE_INFINITY,
    interactive: stderr.isTTY && process.env.TERM !== "dumb",
    ask: askable ? (question) => ask(question, abort.signal) : undefined,
    signal: abort.signal,
  };
}

async function ask(question: string, signal: AbortSignal): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await reader.question(question, { signal });
  } finally {
    reader.close();
  }
}

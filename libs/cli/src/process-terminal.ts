import { isatty } from "node:tty";
import { Fault, FaultCode } from "@daos/fault";
import type { Output, Terminal } from "./terminal.ts";

/**
 * The output of this process. When it cannot be written, as on a full disk, the process ends with one line on stderr and
 * exit code 1.
 *
 * @param program its name, for that line
 */
export function processOutput(program: string): Output {
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
  };
}

/**
 * The terminal of this process, with the output as {@link processOutput} writes it. The first Ctrl-C aborts its signal, so
 * that calls are cancelled at the servers; the second ends the process.
 *
 * @param program its name
 */
export function processTerminal(program: string): Terminal {
  const abort = new AbortController();
  process.on("SIGINT", () => {
    if (abort.signal.aborted) process.exit(130);
    abort.abort(faultInterrupted());
  });
  const output = processOutput(program);
  return {
    ...output,
    interactive: process.stderr.isTTY && process.env.TERM !== "dumb",
    // Looked at when a command wants to ask. process.stdin itself would open a stream that hardly any command reads.
    get ask() {
      return isatty(0) && isatty(2) ? (question: string) => ask(question, abort.signal) : undefined;
    },
    signal: abort.signal,
  };
}

function faultInterrupted(): Fault {
  return new Fault({
    domain: "client",
    code: FaultCode.cancelled,
    description: "interrupted",
    resolution: "repeat the command; what a host had begun may be half done",
  });
}

async function ask(question: string, signal: AbortSignal): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await reader.question(question, { signal });
  } catch {
    // Ctrl-C and the end of the input do not count as consent.
    return "";
  } finally {
    reader.close();
  }
}

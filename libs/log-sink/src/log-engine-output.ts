import type { Readable } from "node:stream";
import { createOutputLimiter, type Logger, type OutputLimits } from "@daos/log";

/** The output of an engine's process and its log. */
export interface EngineOutput extends OutputLimits {
  readonly index: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly log: Logger;
}

/**
 * Logs the output of an engine: standard output as info, standard error as error, each line prefixed
 * `daos_io_server:<index>`, at a limited rate. The number of dropped lines is logged in a line of its own. The streams are
 * always read, so the engine never waits for the log.
 *
 * @see DAOS 0.8.0 src/control/server/ioserver/exec.go cmdLogger
 */
export function logEngineOutput(output: EngineOutput): void {
  const { index, stdout, stderr, log, ...limits } = output;
  const prefix = `daos_io_server:${index}`;
  const follow = (stream: Readable, write: (line: string) => void) => {
    const limiter = createOutputLimiter({
      ...limits,
      write: (line) => write(`${prefix} ${line}`),
      onDropped: ({ lines, bytes }) => {
        log.warn(`${prefix} prints too much, lines were dropped`, { lines, bytes });
      },
    });
    stream.on("data", (chunk: Buffer) => limiter.push(chunk));
    stream.once("close", () => limiter.end());
    // A read error counts as the end of the output. The engine's exit is reported elsewhere.
    stream.on("error", () => {});
  };
  follow(stdout, (line) => log.info(line));
  follow(stderr, (line) => log.error(line));
}

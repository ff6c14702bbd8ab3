import { appendFileSync } from "node:fs";
import { createLogger, formatConsoleLine, type Logger } from "@daos/log";
import type { EngineEnvironment } from "./environment.ts";

/** Writes errors and warnings to stderr, all other lines to stdout, and all lines to `D_LOG_FILE` if it is writable. */
export function openLog(environment: Pick<EngineEnvironment, "logFile" | "logLevel">): Logger {
  let { logFile } = environment;
  // The reader of the output may end earlier than this process.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  const log = createLogger(
    (record) => {
      const line = `${formatConsoleLine(record)}\n`;
      (record.level === "ERROR" || record.level === "WARN" ? process.stderr : process.stdout).write(line);
      if (logFile === undefined) return;
      try {
        appendFileSync(logFile, line);
      } catch (error) {
        const lost = logFile;
        logFile = undefined;
        log.warn("the log file cannot be written", { path: lost, error });
      }
    },
    { level: environment.logLevel, component: "engine" },
  );
  return log;
}

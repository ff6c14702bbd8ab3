import type { ServerConfig } from "@daos/config";
import { createLogger, type LevelSwitch, type Logger, levelSwitch } from "@daos/log";

/** The logs of a server. */
export interface ServerLogs {
  readonly log: Logger;
  /** The audit: a line for each call that changes something. */
  readonly audit: Logger;
  /** The level of `log`. */
  readonly level: LevelSwitch;
  /** Reopens the files, for logrotate. */
  reopen(): void;
  close(): void;
}

/** Opens the logs of the configuration. @throws Fault for a file that cannot be written */
export async function openLogs(
  config: ServerConfig,
  { json, debug }: { readonly json: boolean; readonly debug: boolean },
): Promise<ServerLogs> {
  const { openLogSink } = await import("@daos/log-sink");
  const { sendDatagram } = await import("@daos/systemd");
  const format = json || config.controlLogJson;
  const sink = openLogSink({ file: config.controlLogFile, json: format, sendTo: sendDatagram });
  const level = levelSwitch(debug ? "DEBUG" : config.controlLogMask);
  const auditSink =
    config.auditLogFile === undefined
      ? undefined
      : openLogSink({ file: config.auditLogFile, json: format, errorsToConsole: false });
  return {
    log: createLogger(sink.sink, { level, component: "daos_server" }),
    // The audit does not depend on control_log_mask.
    audit: createLogger((auditSink ?? sink).sink, { level: "INFO", component: "audit" }),
    level,
    reopen: () => {
      sink.reopen();
      auditSink?.reopen();
    },
    close: () => {
      auditSink?.close();
      sink.close();
    },
  };
}

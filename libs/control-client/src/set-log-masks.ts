import type { ControlClient, HostResult } from "./control-client.ts";
import { faultServerTooOld, isUnimplemented } from "./unimplemented.ts";

/** The log level of a server. */
export interface LogMasks {
  readonly level: string;
  /** The configured level, which applies again after a restart. */
  readonly configured: string;
}

/** Changes the control plane's log level on every host. @param level undefined for the configured level */
export function setLogMasks(
  client: ControlClient,
  level: string | undefined,
): AsyncGenerator<HostResult<LogMasks>> {
  return client.eachHost({
    attempted: "set the log level",
    timeoutMs: 30_000,
    call: async (connection, options) => {
      try {
        const request = level === undefined ? { reset: true } : { masks: level };
        const { masks, configured } = await connection.ctl.setLogMasks(request, options);
        return { level: masks, configured };
      } catch (error) {
        if (!isUnimplemented(error)) throw error;
        throw faultServerTooOld("set the log level", "", connection, error);
      }
    },
  });
}

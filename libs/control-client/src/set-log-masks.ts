import type { ControlClient, HostResult } from "./control-client.ts";
import { faultServerTooOld, isUnimplemented } from "./unimplemented.ts";

/** What a server logs. */
export interface LogMasks {
  readonly level: string;
  /** What its configuration says, and it goes back to when it is restarted. */
  readonly configured: string;
}

/** Changes what the control plane of every host logs. @param level undefined for what the configuration says */
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

import type { Logger } from "@daos/log";
import type { ServiceNotifier } from "@daos/systemd";
import type { ServerLogs } from "./open-logs.ts";

export interface ReloadOptions {
  readonly log: Logger;
  readonly logs: Pick<ServerLogs, "reopen">;
  readonly service: Pick<ServiceNotifier, "reloading" | "ready">;
  /** Reads the certificates again. */
  readonly reload: () => Promise<void>;
}

/** At SIGHUP it reopens the log files, reads the certificates again, and notifies the service manager. */
export function reloadOnSighup({ log, logs, service, reload }: ReloadOptions): void {
  process.on("SIGHUP", () => {
    service.reloading();
    logs.reopen();
    reload()
      .then(
        () => log.info("SIGHUP: log file opened and certificates read again"),
        (error: unknown) => log.error("SIGHUP: the certificates could not be read again", { error }),
      )
      .finally(() => service.ready());
  });
}

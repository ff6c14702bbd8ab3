import type { Logger } from "@daos/log";
import { certificateStamp } from "./certificate-stamp.ts";
import { certificateStatus, describeStatus, needAttention } from "./certificate-status.ts";
import type { TransportConfig } from "./transport-config.ts";

export interface WatchCertificatesOptions {
  readonly transport: TransportConfig;
  readonly log: Logger;
  /**
   * Called after the CA, certificate or key file has changed. Its errors are logged; it is called again only after the
   * next change.
   */
  readonly onChange: () => Promise<void>;
  /** Interval of the checks of the files, ms; a minute by default. */
  readonly pollMs?: number | undefined;
  /** How often certificates that expire soon are logged; a day by default. */
  readonly warnMs?: number | undefined;
  readonly now?: (() => Date) | undefined;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 3600 * 1000;

/**
 * Looks for changed certificate files, and warns at once and then daily of certificates that expire within 30 days.
 *
 * It polls: a watch of a file misses a replacement by renaming, which is the right way to install certificates, and
 * network file systems send no notice at all. The timers do not keep a program running.
 */
export function watchCertificates(options: WatchCertificatesOptions): Disposable {
  const { transport, log, onChange, pollMs = MINUTE_MS, warnMs = DAY_MS, now } = options;
  let before: string | undefined;
  let busy = false;
  const look = async () => {
    if (busy) return;
    busy = true;
    try {
      const stamp = await certificateStamp(transport);
      const changed = before !== undefined && stamp !== before;
      before = stamp;
      if (!changed) return;
      await onChange();
      log.info("certificates have changed and are in use", { cert: transport.cert });
    } catch (error) {
      log.error("certificates have changed, but cannot be used: the old ones stay in use", { error });
    } finally {
      busy = false;
    }
  };
  const warn = () => logExpiry(transport, log, now);
  void look();
  void warn();
  const timers = [setInterval(() => void look(), pollMs), setInterval(() => void warn(), warnMs)];
  for (const timer of timers) timer.unref();
  return {
    [Symbol.dispose]: () => {
      for (const timer of timers) clearInterval(timer);
    },
  };
}

/** Warns of every certificate of the program that has expired, expires within 30 days, or cannot be used. */
async function logExpiry(transport: TransportConfig, log: Logger, now?: () => Date): Promise<void> {
  for (const status of needAttention(await certificateStatus(transport, { now }))) {
    const resolution =
      status.fault?.resolution ?? `renew it with "daos-server cert renew" on the host of the CA`;
    log.warn(describeStatus(status), { daysLeft: status.daysLeft, resolution });
  }
}

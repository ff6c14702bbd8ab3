import type { SecureClientSessionOptions } from "node:http2";
import { certificateStamp } from "./certificate-stamp.ts";
import { clientTlsOptions } from "./tls-options.ts";
import type { TransportConfig } from "./transport-config.ts";

/** Interval of the checks of the files, ms. */
const LOOK_MS = 1_000;
/** After this time, ms, the files are read again even without a change: a certificate may have expired. */
const READ_MS = 60_000;

interface Loaded {
  readonly options: SecureClientSessionOptions;
  readonly stamp: string;
  readonly readAt: number;
  lookedAt: number;
}

/**
 * The TLS options of a program that makes many connections: its files are read and checked once, and again when one of
 * them has changed. The same object is returned until then, so a connection that was made with another object has old
 * certificates.
 *
 * @returns a function that returns undefined when the configuration allows plain text, and throws as `clientTlsOptions`
 */
export function clientTlsSource(
  transport: TransportConfig,
  now: () => number = () => performance.now(),
): () => Promise<SecureClientSessionOptions | undefined> {
  let loaded: Loaded | undefined;
  const isFresh = async ({ stamp, readAt, lookedAt }: Loaded): Promise<boolean> => {
    if (now() - readAt >= READ_MS) return false;
    return now() - lookedAt < LOOK_MS || (await certificateStamp(transport)) === stamp;
  };
  return async () => {
    if (transport.allowInsecure) return undefined;
    if (loaded !== undefined && (await isFresh(loaded))) {
      if (now() - loaded.lookedAt >= LOOK_MS) loaded.lookedAt = now();
      return loaded.options;
    }
    const at = now();
    const stamp = await certificateStamp(transport);
    const options = (await clientTlsOptions(transport)) as SecureClientSessionOptions;
    loaded =
      loaded?.stamp === stamp
        ? { ...loaded, readAt: at, lookedAt: at }
        : { options, stamp, readAt: at, lookedAt: at };
    return loaded.options;
  };
}

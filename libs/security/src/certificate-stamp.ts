import { stat } from "node:fs/promises";
import type { TransportConfig } from "./transport-config.ts";

/** Changes when one of the files of a transport configuration is written or replaced. */
export async function certificateStamp({
  caCert,
  cert,
  key,
  crl,
}: Pick<TransportConfig, "caCert" | "cert" | "key" | "crl">): Promise<string> {
  const stamps = await Promise.all(
    [caCert, cert, key, ...(crl === undefined ? [] : [crl])].map(async (path) => {
      const entry = await stat(path, { bigint: true }).catch(() => undefined);
      return entry === undefined
        ? "missing"
        : `${entry.dev}:${entry.ino}:${entry.size}:${entry.mtimeNs}:${entry.mode}`;
    }),
  );
  return stamps.join(" ");
}

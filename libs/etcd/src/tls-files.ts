import { readFile } from "node:fs/promises";
import type { SecureClientSessionOptions } from "node:http2";

/** PEM files for TLS with etcd. */
export interface TlsFiles {
  /** The authority that signed etcd's certificates; the system's authorities without it. */
  readonly caCert?: string | undefined;
  /** The client certificate and its key, for an etcd that requires one. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Reads the files. @throws the error of the file system, which names the file */
export async function tlsOptions(files: TlsFiles): Promise<SecureClientSessionOptions> {
  const read = (path: string | undefined) => (path === undefined ? undefined : readFile(path, "utf8"));
  const [ca, cert, key] = await Promise.all([read(files.caCert), read(files.cert), read(files.key)]);
  return { minVersion: "TLSv1.2", ca, cert, key };
}

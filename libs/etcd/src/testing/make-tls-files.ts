import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TlsFiles } from "../tls-files.ts";

const run = promisify(execFile);

/** Creates a CA and a certificate for 127.0.0.1, for servers and clients, in a new directory. */
export async function makeTlsFiles(
  directory: string,
): Promise<{ readonly [File in keyof TlsFiles]-?: string }> {
  await mkdir(directory, { recursive: true });
  const file = (name: string) => join(directory, name);
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await run("openssl", [
    ...["req", "-x509", ...newKey, "-keyout", file("ca.key"), "-out", file("ca.crt")],
    ...["-subj", "/CN=test authority", "-days", "2"],
  ]);
  await run("openssl", [
    ...["req", ...newKey, "-keyout", file("etcd.key"), "-out", file("etcd.csr"), "-subj", "/CN=etcd"],
  ]);
  await writeFile(file("names"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
  await run("openssl", [
    ...["x509", "-req", "-in", file("etcd.csr"), "-out", file("etcd.crt"), "-extfile", file("names")],
    ...["-CA", file("ca.crt"), "-CAkey", file("ca.key"), "-CAcreateserial", "-days", "2"],
  ]);
  return { caCert: file("ca.crt"), cert: file("etcd.crt"), key: file("etcd.key") };
}

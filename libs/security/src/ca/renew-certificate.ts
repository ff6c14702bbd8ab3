import type { X509Certificate } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { faultNotOurs } from "../faults.ts";
import { readCertificates } from "../read-pem-file.ts";
import { isRole, roleOf, userOf } from "../role.ts";
import {
  authorityFiles,
  type IssuedFiles,
  loadAuthority,
  type Owner,
  writeCertificate,
  writeKey,
} from "./authority-files.ts";
import { generateKeys, isDnsName, signCertificate } from "./sign-certificate.ts";

export interface RenewOptions {
  readonly directory: string;
  /** The certificate file to renew; its key is beside it, as `.key`. */
  readonly cert: string;
  readonly days?: number | undefined;
  /** Makes a new key too. Without it the key stays and only one file changes, so no program ever sees a half change. */
  readonly newKey?: boolean | undefined;
  readonly now?: () => Date;
}

/**
 * Issues a certificate again, with its role, names and owner, and new dates. An expired certificate can be renewed; one
 * of another authority cannot.
 *
 * @throws Fault
 */
export async function renewCertificate(options: RenewOptions): Promise<IssuedFiles> {
  const { directory, days = 1095, newKey = false, now = () => new Date() } = options;
  const files = authorityFiles(directory);
  const cert = resolve(options.cert);
  const key = cert.replace(/(?:\.crt|\.pem)?$/, ".key");
  const authority = await loadAuthority(files, now());
  const [old] = await readCertificates(cert);
  const role = roleOf(old);
  if (!old.verify(authority.certificate.publicKey) || !isRole(role)) throw faultNotOurs(cert, files.cert);
  const owner = await ownerOf(cert);
  const keys = newKey
    ? await generateKeys(old.publicKey.asymmetricKeyType === "rsa" ? "rsa" : "ecdsa")
    : undefined;
  const certificate = signCertificate(authority, {
    role,
    user: userOf(old),
    names: dnsNames(old),
    publicKey: keys?.publicKey ?? old.publicKey,
    days,
    now: now(),
  });
  if (keys !== undefined) await writeKey(key, keys.privateKey, owner);
  await writeCertificate(cert, certificate, owner);
  const name = basename(cert, ".crt");
  const client = role === "agent" ? join(files.clients, `${name}.crt`) : undefined;
  if (client !== undefined && client !== cert) {
    await writeCertificate(client, certificate);
  }
  return { certificate, cert, key, client };
}

/** `DNS:server, DNS:node1` of a certificate. */
function dnsNames(certificate: X509Certificate): string[] {
  return (certificate.subjectAltName ?? "")
    .split(", ")
    .filter((name) => name.startsWith("DNS:"))
    .map((name) => name.slice("DNS:".length))
    .filter(isDnsName);
}

/** Only root can give a file to its old owner, and only root needs to. */
async function ownerOf(path: string): Promise<Owner | undefined> {
  const { uid, gid } = await stat(path);
  return process.geteuid?.() === 0 ? { uid, gid } : undefined;
}

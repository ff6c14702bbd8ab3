import type { KeyObject, X509Certificate } from "node:crypto";
import { join, resolve } from "node:path";
import { FaultCode, hasCode } from "@daos/fault";
import { writeFileAtomic } from "@daos/sys";
import { faultBadName, faultKeyMismatch, faultNoAuthority } from "../faults.ts";
import { readCertificates, readPrivateKey } from "../read-pem-file.ts";
import { checkDates } from "../verify-certificate.ts";

/** The paths of a certificate authority's files. The layout is that of release 0.8.0's script. */
export function authorityFiles(directory: string): AuthorityFiles {
  const home = resolve(directory);
  return {
    home,
    key: join(home, "private", "daosCA.key"),
    cert: join(home, "certs", "daosCA.crt"),
    crl: join(home, "certs", "daosCA.crl"),
    certs: join(home, "certs"),
    clients: join(home, "certs", "clients"),
  };
}

/** @see {@link authorityFiles} */
export interface AuthorityFiles {
  readonly home: string;
  /** Mode 0400 in a directory of mode 0700: a user who can read it can become an administrator. */
  readonly key: string;
  /** `ca_cert` of every host. */
  readonly cert: string;
  /** `crl` of every host; made by the first revocation. */
  readonly crl: string;
  readonly certs: string;
  /** The agents' certificates: `client_cert_dir` of every server. */
  readonly clients: string;
}

/** Who owns the files that are made; root only may give them away. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The new certificate and its files. */
export interface IssuedFiles {
  readonly certificate: X509Certificate;
  readonly cert: string;
  readonly key: string;
  /** For an agent: the same certificate, to be copied to every server's `client_cert_dir`. */
  readonly client?: string | undefined;
}

/** A CA that can sign. */
export interface Authority {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/** Reads an authority and checks that it can issue now. @throws Fault */
export async function loadAuthority(files: AuthorityFiles, now: Date): Promise<Authority> {
  const missing = (error: unknown) => {
    throw hasCode(error, FaultCode.securityFileMissing) ? faultNoAuthority(files.home, error) : error;
  };
  const [certificate] = await readCertificates(files.cert, "CA certificate").catch(missing);
  const { key } = await readPrivateKey(files.key).catch(missing);
  if (!certificate.checkPrivateKey(key)) throw faultKeyMismatch(files.cert, files.key);
  const fault = checkDates(certificate, { path: files.cert }, now);
  if (fault !== undefined) throw fault;
  return { certificate, key };
}

const KEY_MODE = 0o400;
const CERT_MODE = 0o644;

/** Writes a private key, mode 0400. */
export function writeKey(path: string, key: KeyObject, owner?: Owner): Promise<void> {
  return writeFileAtomic(path, key.export({ type: "pkcs8", format: "pem" }).toString(), {
    mode: KEY_MODE,
    owner,
  });
}

/** Writes a certificate, mode 0644. */
export function writeCertificate(path: string, certificate: X509Certificate, owner?: Owner): Promise<void> {
  return writeFileAtomic(path, certificate.toString(), { mode: CERT_MODE, owner });
}

/** Writes a copy of the authority's certificates, mode 0644. */
export function writeAuthority(path: string, content: Buffer, owner?: Owner): Promise<void> {
  return writeFileAtomic(path, content, { mode: CERT_MODE, owner });
}

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/;

/** Checks a text that becomes the name of a file. @throws Fault */
export function checkFileName(name: string): void {
  if (!NAME.test(name) || name.includes("..") || name === "daosCA") throw faultBadName(name);
}

import type { X509Certificate } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { isVisible } from "@daos/sys";
import { faultBadName, faultCertificateRequest, faultFileExists } from "../faults.ts";
import type { Role } from "../role.ts";
import { authorityFiles, checkFileName, loadAuthority, writeCertificate } from "./authority-files.ts";
import { readRequest } from "./certificate-request.ts";
import { isDnsName, signCertificate } from "./sign-certificate.ts";

export interface SignOptions {
  /** The authority's directory. */
  readonly directory: string;
  /** The file with the request. */
  readonly request: string;
  /** The role of the certificate. The request must ask for the same role. */
  readonly role: Role;
  /** The certificate's file without `.crt`, and the user of an administrator; as the request's file and its user by default. */
  readonly name?: string | undefined;
  /** Where the certificate goes; `certs` of the authority by default. */
  readonly output?: string | undefined;
  /** 1095 by default; never longer than the authority's own certificate. */
  readonly days?: number | undefined;
  readonly now?: () => Date;
}

/** A certificate that was signed from a request. */
export interface SignedCertificate {
  readonly certificate: X509Certificate;
  readonly cert: string;
  /** Of an administrator's. */
  readonly user?: string | undefined;
  /** For an agent: the same certificate, to be copied to every server's `client_cert_dir`. */
  readonly client?: string | undefined;
}

/**
 * Signs a request of another host. The certificate takes only the key, a server's names and an administrator's user
 * from it.
 *
 * @throws Fault when the request cannot be used, or a file of this name exists
 */
export async function signRequest(options: SignOptions): Promise<SignedCertificate> {
  const { directory, role, days = 1095, now = () => new Date() } = options;
  const files = authorityFiles(directory);
  const path = resolve(options.request);
  const { commonName, user: asked, dnsNames, publicKey } = await readRequest(path);
  if (commonName !== role)
    throw faultCertificateRequest(
      path,
      `it asks for the role ${JSON.stringify(commonName ?? "")}, not ${role}`,
    );
  for (const one of dnsNames) if (!isDnsName(one)) throw faultBadName(one);
  const user = role === "admin" ? (options.name ?? asked) : undefined;
  if (user !== undefined) checkFileName(user);
  const name = options.name ?? basename(path).replace(/\.(?:csr|req|pem)$/, "");
  checkFileName(name);
  const output = resolve(options.output ?? files.certs);
  const cert = join(output, `${name}.crt`);
  if (await isVisible(cert)) throw faultFileExists(cert);
  const client = role === "agent" ? join(files.clients, `${name}.crt`) : undefined;
  const certificate = signCertificate(await loadAuthority(files, now()), {
    role,
    user,
    names: dnsNames,
    publicKey,
    days,
    now: now(),
  });
  await mkdir(output, { recursive: true, mode: 0o755 });
  // The file that keeps a certificate from being signed twice comes last, so that a failure can be repeated.
  if (client !== undefined) await writeCertificate(client, certificate);
  await writeCertificate(cert, certificate);
  return { certificate, cert, user, client };
}

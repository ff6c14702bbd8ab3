import type { KeyObject, X509Certificate } from "node:crypto";
import { resolve } from "node:path";
import { type Fault, FaultCode } from "@daos/fault";
import { faultKeyMismatch } from "./faults.ts";
import { loadRevocations } from "./load-revocations.ts";
import { readCertificates, readPrivateKey } from "./read-pem-file.ts";
import type { Revocations } from "./revocations.ts";
import type { Role } from "./role.ts";
import type { TransportConfig } from "./transport-config.ts";
import { checkIssued, checkRole } from "./verify-certificate.ts";

/** A program's own certificate with its key, and the CA that it trusts, all checked. */
export interface Identity {
  readonly authorities: readonly X509Certificate[];
  /**
   * The certificates that they have revoked. The program's own certificate is not looked up here: its peers do that.
   */
  readonly revocations?: Revocations | undefined;
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
  /** The same in PEM form, for OpenSSL. */
  readonly pem: { readonly ca: string; readonly cert: string; readonly key: string };
}

export interface LoadIdentityOptions {
  /** The roles that the certificate may have. */
  readonly roles: readonly Role[];
  readonly now?: (() => Date) | undefined;
  /** Accepts certificates that are expired or not yet valid, after it has been called with the fault. */
  readonly onWrongDates?: ((fault: Fault) => void) | undefined;
}

/**
 * Reads the files of a transport configuration.
 *
 * @throws Fault that names the file, for the first of: missing, unreadable, too open, no PEM; key of another
 *   certificate; certificate of another CA, expired, not yet valid, too weak, of another role
 */
export async function loadIdentity(
  transport: Pick<TransportConfig, "caCert" | "cert" | "key" | "crl">,
  options: LoadIdentityOptions,
): Promise<Identity> {
  const { roles, now = () => new Date(), onWrongDates } = options;
  const authorities = await readCertificates(transport.caCert, "CA certificate");
  const revocations = await loadRevocations(transport, authorities);
  const chain = await readCertificates(transport.cert);
  const { key, pem } = await readPrivateKey(transport.key);
  const [certificate] = chain;
  const path = resolve(transport.cert);
  if (!certificate.checkPrivateKey(key)) throw faultKeyMismatch(path, resolve(transport.key));
  const verify = { authorities, path, caPath: resolve(transport.caCert), now: now() };
  const check = (ignoreDates: boolean) =>
    checkIssued(certificate, { ...verify, ignoreDates }) ?? checkRole(certificate, { path }, roles);
  const wrongDates = onWrongDates === undefined ? undefined : check(false);
  const fault = check(isAboutDates(wrongDates));
  if (fault !== undefined) throw fault;
  if (wrongDates !== undefined) onWrongDates?.(wrongDates);
  return {
    authorities,
    revocations,
    certificate,
    key,
    pem: { ca: toPem(authorities), cert: toPem(chain), key: pem },
  };
}

function isAboutDates(fault: Fault | undefined): boolean {
  return fault?.code === FaultCode.certificateExpired || fault?.code === FaultCode.certificateNotYetValid;
}

function toPem(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => certificate.toString()).join("");
}

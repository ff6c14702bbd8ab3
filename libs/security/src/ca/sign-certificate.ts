import { generateKeyPair, type KeyObject, type X509Certificate } from "node:crypto";
import { promisify } from "node:util";
import type { Role } from "../role.ts";
import { CLIENT_AUTH, checkIssued, SERVER_AUTH } from "../verify-certificate.ts";
import type { Authority } from "./authority-files.ts";
import { buildCertificate } from "./build-certificate.ts";

/** `ecdsa` is P-256 with SHA-256; `rsa` has 4096 bits and SHA-512, as release 0.8.0 makes and reads. */
export type KeyType = "ecdsa" | "rsa";

/** The names of subjects, as release 0.8.0 has them. */
export const ORGANIZATION = "DAOS";

const DAY_MS = 24 * 3600 * 1000;
/** Certificates are valid from a little before now, for hosts whose clock is behind. */
const CLOCK_SKEW_MS = 5 * 60 * 1000;

/** The content of the certificate to sign. */
export interface SignRequest {
  readonly role: Role;
  /** Whom it is issued to, for the audit; the common name stays the role. */
  readonly user?: string | undefined;
  readonly names: readonly string[];
  readonly publicKey: KeyObject;
  readonly days: number;
  readonly now: Date;
}

/**
 * Signs what `daos-server cert` issues: role as common name, usages of the role, never longer than the CA's own dates.
 *
 * @throws Fault when no program would accept the result, because the key is too weak
 */
export function signCertificate(authority: Authority, request: SignRequest): X509Certificate {
  const { role, user, names, publicKey, days, now } = request;
  const { notBefore, notAfter } = validity(now, days);
  const certificate = buildCertificate(
    {
      subject: { organization: ORGANIZATION, user, commonName: role },
      publicKey,
      notBefore,
      notAfter: new Date(Math.min(notAfter.getTime(), authority.certificate.validToDate.getTime())),
      basicConstraints: { ca: false },
      keyUsage:
        publicKey.asymmetricKeyType === "rsa"
          ? ["digitalSignature", "keyEncipherment"]
          : ["digitalSignature"],
      extendedKeyUsage: role === "server" ? [SERVER_AUTH, CLIENT_AUTH] : [CLIENT_AUTH],
      dnsNames: role === "server" ? [...new Set(["server", ...names])] : undefined,
      keyIdentifiers: true,
      hash: hashOf(authority.key),
    },
    authority,
  );
  // A certificate that no program would accept must not leave this function.
  const fault = checkIssued(certificate, { authorities: [authority.certificate], now });
  if (fault !== undefined) throw fault;
  return certificate;
}

/** The dates of a certificate that is valid for `days` from now. */
export function validity(now: Date, days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  return {
    notBefore: new Date(now.getTime() - CLOCK_SKEW_MS),
    notAfter: new Date(now.getTime() + days * DAY_MS),
  };
}

/** The hash that goes with a signing key. */
export function hashOf(key: KeyObject): "sha256" | "sha512" {
  return key.asymmetricKeyType === "rsa" ? "sha512" : "sha256";
}

/** Makes a key pair. */
export async function generateKeys(
  type: KeyType,
): Promise<{ readonly publicKey: KeyObject; readonly privateKey: KeyObject }> {
  return type === "rsa"
    ? promisify(generateKeyPair)("rsa", { modulusLength: 4096 })
    : promisify(generateKeyPair)("ec", { namedCurve: "P-256" });
}

const DNS_NAME = /^(?=.{1,253}$)[A-Za-z0-9][A-Za-z0-9-]{0,62}(?:\.[A-Za-z0-9][A-Za-z0-9-]{0,62})*$/;

/** True for a host name without wildcards. */
export function isDnsName(name: string): boolean {
  return DNS_NAME.test(name);
}

import type { KeyObject, X509Certificate } from "node:crypto";
import type { Fault } from "@daos/fault";
import {
  type CertificateSource,
  faultExpired,
  faultNotYetValid,
  faultRevoked,
  faultTooWeak,
  faultWrongAuthority,
  faultWrongRole,
} from "./faults.ts";
import type { Revocations } from "./revocations.ts";
import { ROLES, type Role, roleOf, showSubject } from "./role.ts";

/** OIDs of extended key usage, RFC 5280 section 4.2.1.12. */
export const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
export const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

/** Signature algorithms that a certificate may be signed with; nothing with SHA-1 or MD5. */
const SIGNATURES = new Set([
  "1.2.840.113549.1.1.11", // sha256WithRSAEncryption
  "1.2.840.113549.1.1.12", // sha384WithRSAEncryption
  "1.2.840.113549.1.1.13", // sha512WithRSAEncryption
  "1.2.840.113549.1.1.10", // RSASSA-PSS
  "1.2.840.10045.4.3.2", // ecdsa-with-SHA256
  "1.2.840.10045.4.3.3", // ecdsa-with-SHA384
  "1.2.840.10045.4.3.4", // ecdsa-with-SHA512
]);
const CURVES = new Set(["prime256v1", "secp384r1", "secp521r1"]);
const MIN_RSA_BITS = 2048;

export interface VerifyOptions extends CertificateSource {
  /** The CA certificates that may have issued it. */
  readonly authorities: readonly X509Certificate[];
  /** The certificates that they have revoked; none by default. */
  readonly revocations?: Revocations | undefined;
  /** The file they are from, for messages. */
  readonly caPath?: string | undefined;
  readonly now: Date;
  /** Ignores the dates. */
  readonly ignoreDates?: boolean | undefined;
}

/**
 * The fault of a certificate that one of `authorities` must have issued directly; `undefined` when it is good.
 *
 * Checks the issuer's name and signature, that the issuer is a CA and has not revoked it, the dates of both, and their
 * strength. It does not look at usage, name or role. Certificates of an intermediate CA do not pass: neither release
 * 0.8.0's script nor `daos-server cert` makes any, so only configured authorities can ever vouch for a certificate.
 */
export function checkIssued(certificate: X509Certificate, options: VerifyOptions): Fault | undefined {
  const { authorities, now, caPath, revocations, ignoreDates = false } = options;
  const named = authorities.filter((ca) => certificate.checkIssued(ca));
  if (named.length === 0) {
    const issuer = certificate.issuer.split("\n").join(", ");
    return faultWrongAuthority(certificate, options, `its issuer is ${issuer.slice(0, 120)}`);
  }
  const ca = named.find((candidate) => signedBy(certificate, candidate));
  if (ca === undefined) {
    return faultWrongAuthority(
      certificate,
      options,
      `it names ${showSubject(named[0] as X509Certificate)} as its issuer, but another key signed it`,
    );
  }
  if (!ca.ca)
    return faultWrongAuthority(certificate, options, `${showSubject(ca)} is not the certificate of a CA`);
  if (certificate.fingerprint256 === ca.fingerprint256) {
    return faultWrongAuthority(certificate, options, "it is the certificate of the CA itself");
  }
  const revokedAt = revocations?.revokedAt(certificate, ca);
  if (revokedAt !== undefined) return faultRevoked(certificate, options, revokedAt);
  const dates = ignoreDates
    ? undefined
    : (checkDates(ca, { path: caPath ?? "of the CA" }, now) ?? checkDates(certificate, options, now));
  return dates ?? checkStrength(certificate, options);
}

/** Expired, not yet valid, or `undefined`. */
export function checkDates(
  certificate: X509Certificate,
  source: CertificateSource,
  now: Date,
): Fault | undefined {
  if (!(now <= certificate.validToDate)) return faultExpired(certificate, source);
  if (!(now >= certificate.validFromDate)) return faultNotYetValid(certificate, source);
  return undefined;
}

/** Too short a key, an unusual curve, or a hash that can be forged; `undefined` when it is strong enough. */
function checkStrength(certificate: X509Certificate, source: CertificateSource): Fault | undefined {
  const reason = weakKey(certificate.publicKey) ?? weakSignature(certificate);
  return reason === undefined ? undefined : faultTooWeak(certificate, source, reason);
}

/** The fault of a certificate's role; `undefined` when it is one of `wanted`. */
export function checkRole(
  certificate: X509Certificate,
  source: CertificateSource,
  wanted: readonly Role[] = ROLES,
): Fault | undefined {
  const role = roleOf(certificate);
  return role !== undefined && wanted.includes(role)
    ? undefined
    : faultWrongRole(certificate, source, wanted);
}

function signedBy(certificate: X509Certificate, ca: X509Certificate): boolean {
  try {
    return certificate.verify(ca.publicKey);
  } catch {
    return false;
  }
}

function weakKey(key: KeyObject): string | undefined {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  const type = key.asymmetricKeyType;
  if (type === "rsa" || type === "rsa-pss") {
    return modulusLength >= MIN_RSA_BITS ? undefined : `its RSA key has ${modulusLength} bits`;
  }
  if (type !== "ec") return `its key is of the type ${type ?? "(unknown)"}`;
  return CURVES.has(namedCurve ?? "") ? undefined : `its key is on the curve ${namedCurve ?? "(unnamed)"}`;
}

function weakSignature(certificate: X509Certificate): string | undefined {
  const oid = certificate.signatureAlgorithmOid;
  if (oid !== undefined && SIGNATURES.has(oid)) return undefined;
  return `it is signed with ${certificate.signatureAlgorithm ?? oid ?? "an unknown algorithm"}`;
}

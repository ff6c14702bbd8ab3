/** Hashes of the signatures that are accepted, by the OID of the signature algorithm. */
const HASHES: Readonly<Record<string, string>> = {
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
};

/** The hash of a signature algorithm: RSA (PKCS#1 1.5) or ECDSA with SHA-2; undefined for all others. */
export function signatureHash(oid: string): string | undefined {
  return Object.hasOwn(HASHES, oid) ? HASHES[oid] : undefined;
}

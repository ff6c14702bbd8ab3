import type { X509Certificate } from "node:crypto";

/** The role of a certificate's owner: the common name in certificates of release 0.8.0. */
export const ROLES = ["server", "admin", "agent"] as const;

/** @see {@link ROLES} */
export type Role = (typeof ROLES)[number];

/** True for `server`, `admin` and `agent`. */
export function isRole(value: unknown): value is Role {
  return ROLES.includes(value as Role);
}

/**
 * The only common name of a certificate; `undefined` when there is none, or more than one.
 *
 * A subject is `O=DAOS\nCN=server`, and Node.js escapes line breaks within a part. Not `toLegacyObject`: when that is
 * called before node:tls is loaded, Node.js 24 leaves node:tls half loaded for the rest of the process.
 */
export function commonName(certificate: X509Certificate): string | undefined {
  const names = (certificate.subject ?? "").split("\n").filter((part) => part.startsWith("CN="));
  return names.length === 1 ? names[0]?.slice("CN=".length) : undefined;
}

/** The role of a certificate; `undefined` when its common name is not a role. */
export function roleOf(certificate: X509Certificate): Role | undefined {
  const name = commonName(certificate);
  return isRole(name) ? name : undefined;
}

/**
 * The user that a certificate was issued to, `UID=alice` of its subject (RFC 4519, userid); `undefined` when it names none,
 * or more than one. It has no rights: those come with the role. The text is the authority's, at most 64 characters.
 */
export function userOf(certificate: X509Certificate): string | undefined {
  const names = (certificate.subject ?? "").split("\n").filter((part) => part.startsWith("UID="));
  return names.length === 1 ? names[0]?.slice("UID=".length, "UID=".length + 64) : undefined;
}

/** `O=DAOS, CN=admin`: a certificate's subject on one line, of bounded length, without control characters. */
export function showSubject(certificate: X509Certificate): string {
  const text = (certificate.subject ?? "")
    .split("\n")
    .join(", ")
    .replace(/\p{Cc}/gu, "?");
  if (text === "") return "(no subject)";
  return text.length > 120 ? `${text.slice(0, 120)}...` : text;
}

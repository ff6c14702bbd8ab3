import type { X509Certificate } from "node:crypto";
import type { Fault } from "@daos/fault";
import { faultNoCertificate, faultWrongRole } from "./faults.ts";
import { isRole, type Role, roleOf } from "./role.ts";
import {
  CLIENT_AUTH,
  checkIssued,
  checkRole,
  SERVER_AUTH,
  type VerifyOptions,
} from "./verify-certificate.ts";

/** A server's verdict on the client of a TLS connection. */
export type PeerVerdict =
  | { readonly kind: "accepted"; readonly role: Role; readonly certificate: X509Certificate }
  | { readonly kind: "refused"; readonly fault: Fault };

export interface VerifyPeerOptions extends VerifyOptions {
  readonly peer: string;
}

/**
 * Decides about a client certificate, without OpenSSL's opinion: whether a configured CA issued it, its dates and
 * strength, its role, and its extended key usage. A server's certificate from release 0.8.0 is made for `serverAuth`
 * only, so OpenSSL refuses it from a client (INVALID_PURPOSE) and servers could not join each other; here the role
 * `server` may show either usage, and the other roles must show `clientAuth`.
 */
export function verifyPeer(
  certificate: X509Certificate | undefined,
  options: VerifyPeerOptions,
): PeerVerdict {
  if (certificate === undefined) return { kind: "refused", fault: faultNoCertificate(options.peer) };
  const fault =
    checkIssued(certificate, options) ?? checkRole(certificate, options) ?? checkUsage(certificate, options);
  const role = roleOf(certificate);
  if (fault === undefined && isRole(role)) return { kind: "accepted", role, certificate };
  return { kind: "refused", fault: fault ?? faultWrongRole(certificate, options, ["admin"]) };
}

function checkUsage(certificate: X509Certificate, options: VerifyPeerOptions): Fault | undefined {
  // Without the extension a certificate is good for every use, RFC 5280 section 4.2.1.12.
  const usages: readonly string[] | undefined = certificate.keyUsage;
  if (usages === undefined || usages.includes(CLIENT_AUTH)) return undefined;
  const role = roleOf(certificate) ?? "admin";
  if (role === "server" && usages.includes(SERVER_AUTH)) return undefined;
  return faultWrongRole(
    certificate,
    options,
    [role],
    "its extended key usage does not allow it to act as a client",
  );
}

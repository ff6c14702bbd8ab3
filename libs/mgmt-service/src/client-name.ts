import { X509Certificate } from "node:crypto";
import { cleanText } from "@daos/fault";
import { commonName, userOf } from "@daos/security";

/** The name in a certificate may have any length. */
const MAX_NAME = 128;

/**
 * The name of a client for display: `alice at 10.0.0.7` by the user in its certificate, `admin at 10.0.0.7` by its
 * role, `a client at 10.0.0.7` without a certificate.
 *
 * @param certificate DER
 * @param address IP address; empty when it is not known
 */
export function clientName(certificate: Uint8Array | undefined, address: string): string {
  const name = cleanText(nameIn(certificate) ?? "a client", MAX_NAME);
  return address === "" ? name : `${name} at ${address}`;
}

function nameIn(certificate: Uint8Array | undefined): string | undefined {
  if (certificate === undefined) return undefined;
  const parsed = new X509Certificate(certificate);
  return userOf(parsed) ?? commonName(parsed);
}

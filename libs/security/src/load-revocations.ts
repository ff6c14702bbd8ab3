import type { X509Certificate } from "node:crypto";
import type { Revocations } from "./revocations.ts";
import type { TransportConfig } from "./transport-config.ts";

/**
 * The certificates that the authorities of a transport configuration have revoked; undefined without a list.
 *
 * @throws Fault
 */
export async function loadRevocations(
  { crl }: Pick<TransportConfig, "crl">,
  authorities: readonly X509Certificate[],
): Promise<Revocations | undefined> {
  if (crl === undefined) return undefined;
  // Loaded here, because most programs have no list and need no ASN.1.
  const { readRevocations } = await import("./revocations.ts");
  return readRevocations(crl, authorities);
}

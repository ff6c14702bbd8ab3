import { X509Certificate } from "node:crypto";
import { resolve } from "node:path";
import type { Fault } from "@daos/fault";
import { authorize } from "./authorize.ts";
import { faultCallerNotAllowed } from "./faults.ts";
import { loadRevocations } from "./load-revocations.ts";
import { readCertificates } from "./read-pem-file.ts";
import type { TransportConfig } from "./transport-config.ts";
import { verifyPeer } from "./verify-peer.ts";

export interface AuthorizeCallerOptions {
  readonly transport: Pick<TransportConfig, "allowInsecure" | "caCert" | "crl">;
  /** The call that the client made, such as `/mgmt.MgmtSvc/PoolDestroy`. */
  readonly path: string;
  /** Address of the server that passes the call on. */
  readonly from: string;
  readonly now?: (() => Date) | undefined;
}

/**
 * Authorizes a client by the certificate (DER) that another server forwards, as if the client had connected here:
 * issuer, dates, strength, role. Only the other server could check that the client has the key.
 *
 * @returns undefined when the call is allowed, and always without certificates
 * @throws Fault when the CA's file cannot be read
 */
export async function authorizeCaller(
  certificate: Uint8Array,
  { transport, path, from, now = () => new Date() }: AuthorizeCallerOptions,
): Promise<Fault | undefined> {
  if (transport.allowInsecure) return undefined;
  const authorities = await readCertificates(transport.caCert, "CA certificate");
  const verdict = verifyPeer(parse(certificate), {
    peer: `a client of the server at ${from}`,
    authorities,
    revocations: await loadRevocations(transport, authorities),
    caPath: resolve(transport.caCert),
    now: now(),
  });
  if (verdict.kind === "refused") return faultCallerNotAllowed(path, from, verdict.fault);
  const decision = authorize(verdict.role, path);
  return decision.kind === "allowed" ? undefined : faultCallerNotAllowed(path, from, decision.fault);
}

function parse(certificate: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(certificate);
  } catch {
    return undefined;
  }
}

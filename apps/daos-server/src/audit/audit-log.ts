import { X509Certificate } from "node:crypto";
import { cleanText } from "@daos/fault";
import type { Logger } from "@daos/log";
import { type Peer, roleOf, userOf } from "@daos/security";

/** The caller of an audited call. */
export interface AuditCaller {
  /** The user in the certificate: `UID=alice`. */
  readonly user?: string | undefined;
  /** The role in the certificate; absent with `allow_insecure`. */
  readonly role?: string | undefined;
  /** The IP address of the connection. */
  readonly address: string;
  /**
   * For a call that an access point forwards: the access point's address. The client's address is then the one that the access
   * point reports, if any.
   */
  readonly via?: string | undefined;
}

/** A call that has ended. */
export interface AuditedCall {
  /** The name of the method: `PoolDestroy`. */
  readonly call: string;
  readonly caller: AuditCaller;
  /** The subject of the request. */
  readonly about?: Readonly<Record<string, unknown>> | undefined;
  /** `OK`, the gRPC code, the status of the engine as in `DER_BUSY`, or `FAILED` or `PARTIAL` for ranks and devices. */
  readonly outcome: string;
  readonly reason?: string | undefined;
  /** The number of ranks or devices that failed. */
  readonly failed?: number | undefined;
  readonly ms: number;
}

const MAX_ADDRESS = 64;
const MAX_REASON = 512;
const MAX_VALUE = 1024;

/** The caller at the other end of a connection. */
export function callerFrom(peer: Peer): AuditCaller {
  const { address } = peer;
  return peer.kind === "insecure" ? { address } : { ...namesOf(peer.certificate), address };
}

/**
 * The client behind a forwarded call, from the certificate (DER) and the address that the forwarding server sends. The address
 * may be missing.
 */
export function callerThrough(via: AuditCaller, certificate: Uint8Array, address = ""): AuditCaller {
  const client = { address: address === "" ? "unknown" : cleanText(address, MAX_ADDRESS), via: via.address };
  try {
    return { ...namesOf(new X509Certificate(certificate)), ...client };
  } catch {
    return client;
  }
}

function namesOf(certificate: X509Certificate): Pick<AuditCaller, "user" | "role"> {
  return { user: userOf(certificate), role: roleOf(certificate) };
}

/** Writes the line of one call, at level WARN unless the whole call succeeded. */
export function writeAudit(
  log: Logger,
  { call, caller, about = {}, outcome, reason, failed = 0, ms }: AuditedCall,
): void {
  const fields = {
    user: caller.user,
    role: caller.role,
    address: caller.address,
    via: caller.via,
    outcome,
    failed: failed === 0 ? undefined : failed,
    ms: Math.round(ms),
    ...bounded(about),
    reason: reason === undefined ? undefined : cleanText(reason, MAX_REASON),
  };
  log[outcome === "OK" ? "info" : "warn"](call, fields);
}

/** The texts of a refused request may have any length. */
function bounded(about: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(about).map(([name, value]) => [
      name,
      typeof value === "string" ? cleanText(value, MAX_VALUE) : value,
    ]),
  );
}

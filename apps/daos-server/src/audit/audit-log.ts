import { X509Certificate } from "node:crypto";
import { cleanText } from "@daos/fault";
import type { Logger } from "@daos/log";
import { type Peer, roleOf, userOf } from "@daos/security";

/** Who asked for something. */
export interface AuditCaller {
  /** From the certificate: `UID=alice`. */
  readonly user?: string | undefined;
  /** From the certificate; absent with `allow_insecure`. */
  readonly role?: string | undefined;
  /** IP address of the connection. */
  readonly address: string;
  /** For a call that an access point passes on: its address. The address of the client is then what that says, if anything. */
  readonly via?: string | undefined;
}

/** One call, when it has ended. */
export interface AuditedCall {
  /** As in `PoolDestroy`. */
  readonly call: string;
  readonly caller: AuditCaller;
  /** What the request was about. */
  readonly about?: Readonly<Record<string, unknown>> | undefined;
  /** `OK`, the gRPC code, the status of the engine as in `DER_BUSY`, or `FAILED` or `PARTIAL` for ranks and devices. */
  readonly outcome: string;
  readonly reason?: string | undefined;
  /** How many ranks or devices failed. */
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

/** The client that another server calls for, by the certificate (DER) and perhaps the address that it passes on. */
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

/** Writes the line of one call: WARN unless all of it was done. */
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

/** Texts of a request that was refused may have any length. */
function bounded(about: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(about).map(([name, value]) => [
      name,
      typeof value === "string" ? cleanText(value, MAX_VALUE) : value,
    ]),
  );
}

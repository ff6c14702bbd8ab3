import { formatHostAddress, parseHostAddress } from "@daos/hostlist";
import type { AccessPoint } from "./election.ts";

/** The largest `lease_duration` of the configuration. */
const MAX_LEASE_SECONDS = 60;

/**
 * The entry of an access point in etcd, with the duration of its lease:
 * `{"address":"node1:10001","hasReplica":true,"leaseSeconds":3}`. Servers before `lease_duration` leave the last one
 * out, and do not read it.
 */
export function encodeAccessPoint({ address, hasReplica }: AccessPoint, leaseSeconds?: number): string {
  return JSON.stringify({ address: formatHostAddress(address), hasReplica, leaseSeconds });
}

/** Duration of the lease of an entry that {@link encodeAccessPoint} wrote, s; undefined when the entry has none. */
export function decodeLeaseSeconds(text: string): number | undefined {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || !("leaseSeconds" in value)) return undefined;
  const { leaseSeconds } = value;
  return typeof leaseSeconds === "number" && leaseSeconds > 0 && leaseSeconds <= MAX_LEASE_SECONDS
    ? leaseSeconds
    : undefined;
}

/** Reads what {@link encodeAccessPoint} wrote. @throws Error that says what is wrong with it */
export function decodeAccessPoint(text: string): AccessPoint {
  const value: unknown = JSON.parse(text);
  if (typeof value === "object" && value !== null && "address" in value && "hasReplica" in value) {
    const { address, hasReplica } = value;
    if (typeof address === "string" && typeof hasReplica === "boolean") {
      return { address: parseHostAddress(address), hasReplica };
    }
  }
  throw new Error(`not an access point: ${text}`);
}

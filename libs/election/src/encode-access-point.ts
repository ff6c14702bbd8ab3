import { formatHostAddress, parseHostAddress } from "@daos/hostlist";
import type { AccessPoint } from "./election.ts";

/** An access point as it stands in etcd: `{"address":"node1:10001","hasReplica":true}`. */
export function encodeAccessPoint({ address, hasReplica }: AccessPoint): string {
  return JSON.stringify({ address: formatHostAddress(address), hasReplica });
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

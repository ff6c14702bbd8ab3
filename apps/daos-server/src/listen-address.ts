import { isOnLoopback, type ServerConfig } from "@daos/config";
import { isLoopback } from "@daos/election";
import type { HostAddress } from "@daos/hostlist";

/** Everything listens here. */
const ANY_ADDRESS = "0.0.0.0";
const LOOPBACK = "127.0.0.1";

/**
 * The address to listen on: the configured one, else every one. Without certificates every caller of the port is an
 * administrator, so it is the loopback then, unless an access point with an address in the network asks for more.
 *
 * @param self the control address of this host
 */
export function listenAddress(
  {
    listenAddress: given,
    accessPoints,
    transport,
  }: Pick<ServerConfig, "listenAddress" | "accessPoints" | "transport">,
  self: HostAddress,
): string {
  if (given !== undefined) return given;
  if (!transport.allowInsecure) return ANY_ADDRESS;
  if (isLoopback(self.host)) return self.host;
  return accessPoints.every(isOnLoopback) ? LOOPBACK : ANY_ADDRESS;
}

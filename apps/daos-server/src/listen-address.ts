import { isOnLoopback, type ServerConfig } from "@daos/config";
import { isLoopback } from "@daos/election";
import type { HostAddress } from "@daos/hostlist";

const LOOPBACK = "127.0.0.1";

/**
 * The address to listen on: the configured one, else all addresses. Without certificates every caller is an administrator, so
 * the server then listens on the loopback only, unless an access point has an address in the network.
 *
 * @param options.self the control address of this host
 * @param options.localAddresses all addresses of this host
 */
export function listenAddress(
  {
    listenAddress: given,
    accessPoints,
    transport,
  }: Pick<ServerConfig, "listenAddress" | "accessPoints" | "transport">,
  { self, localAddresses }: { readonly self: HostAddress; readonly localAddresses: ReadonlySet<string> },
): string {
  if (given !== undefined) return given;
  // The IPv6 socket accepts IPv4 connections too. A host without IPv6 in its kernel has no such address.
  const any = [...localAddresses].some((address) => address.includes(":")) ? "::" : "0.0.0.0";
  if (!transport.allowInsecure) return any;
  if (isLoopback(self.host)) return self.host;
  if (!accessPoints.every(isOnLoopback)) return any;
  return accessPoints.every(({ host }) => host === "::1") ? "::1" : LOOPBACK;
}

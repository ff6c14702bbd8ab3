import { isIP } from "node:net";
import {
  type ConnectRouter,
  createRouterTransport,
  type Interceptor,
  type Transport,
} from "@connectrpc/connect";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import { peerAddressKey } from "@daos/mgmt-service";
import { audienceKey, faultInterceptor } from "@daos/rpc";
import { onlyProtocols } from "@daos/rpc/server";
import { limitInterceptor } from "./limit-requests.ts";

interface OwnAddressesOptions {
  /** The control address of this host. */
  readonly self: HostAddress;
  readonly accessPoints: readonly HostAddress[];
  /** The addresses of a host name. @throws the resolver's error */
  readonly resolve: (host: string) => Promise<readonly string[]>;
}

/** The addresses of this host for calls to itself: its control address, and the access points that resolve to it. */
export async function ownAddresses(options: OwnAddressesOptions): Promise<readonly HostAddress[]> {
  const { self, accessPoints, resolve } = options;
  const own = new Map([[formatHostAddress(self), self]]);
  for (const accessPoint of accessPoints) {
    if (accessPoint.port !== self.port) continue;
    // A name that cannot be resolved now counts as another host, so calls to it use the network.
    const addresses = await resolve(accessPoint.host).catch((): readonly string[] => []);
    if (addresses.includes(self.host)) own.set(formatHostAddress(accessPoint), accessPoint);
  }
  return [...own.values()];
}

const CONNECT = { grpc: false, grpcWeb: false, connect: true };

/**
 * A transport for calls of this process to itself. It uses the same services and field checks as calls from outside, but no
 * connection. The caller's address is the host's own.
 */
export function localTransport(self: HostAddress, routes: (router: ConnectRouter) => void): Transport {
  const asThisHost: Interceptor = (next) => (request) => {
    request.contextValues.set(peerAddressKey, isIP(self.host) === 0 ? "" : self.host);
    request.contextValues.set(audienceKey, "operator");
    return next(request);
  };
  return createRouterTransport((router) => routes(onlyProtocols(router, CONNECT)), {
    router: { interceptors: [asThisHost, faultInterceptor, limitInterceptor] },
  });
}

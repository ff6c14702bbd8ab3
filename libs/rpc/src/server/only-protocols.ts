import type { ConnectRouter } from "@connectrpc/connect";

/** The protocols in which a router serves its methods. */
export interface Protocols {
  readonly grpc: boolean;
  readonly grpcWeb: boolean;
  readonly connect: boolean;
}

/**
 * A router that serves all methods in these protocols only. The same options of Connect's router have no effect on methods with
 * options of their own, such as `readMaxBytes`: it serves these in all protocols. Each protocol takes 3 kB for a method.
 */
export function onlyProtocols(router: ConnectRouter, protocols: Protocols): ConnectRouter {
  const only: ConnectRouter = {
    handlers: router.handlers,
    rpc(method, implementation, options) {
      router.rpc(method, implementation, { ...options, ...protocols });
      return only as typeof this;
    },
    service(service, implementation, options) {
      router.service(service, implementation, { ...options, ...protocols });
      return only as typeof this;
    },
  };
  return only;
}

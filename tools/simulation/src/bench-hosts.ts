import { type AddressInfo, createServer, type Server } from "node:net";
import type { TransportConfig } from "@daos/config";
import { silentLogger } from "@daos/log";
import { mgmt } from "@daos/proto";
import { grpcHandlers } from "@daos/rpc/server";
import { createGrpcServer, DEFAULT_LIMITS } from "@daos/security";

/** The ports of the hosts. */
export interface FromHosts {
  readonly ports: readonly number[];
}

/**
 * Many hosts in one process, each on its own port. They answer the requests of a system stop at once. The last `holes` hosts
 * accept connections, but never answer.
 */
export async function runHosts(count: number, holes: number): Promise<void> {
  process.on("SIGTERM", () => process.exit(0));
  const handlers = grpcHandlers({
    readMaxBytes: DEFAULT_LIMITS.maxMessageBytes,
    routes: (router) =>
      router.service(mgmt.MgmtSvc, {
        prepShutdown: () => ({ status: 0 }),
        killRank: () => ({ status: 0 }),
      }),
  });
  const transport = { allowInsecure: true } as TransportConfig;
  const host = async (index: number) => {
    if (index >= count - holes) return listen(createServer(() => {}));
    const { server } = await createGrpcServer({ transport, log: silentLogger, ...handlers });
    return listen(server as unknown as Server);
  };
  const ports = await Promise.all(Array.from({ length: count }, (_, index) => host(index)));
  process.send?.({ ports } satisfies FromHosts);
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) =>
    server.listen({ port: 0, host: "127.0.0.1" }, () => resolve((server.address() as AddressInfo).port)),
  );
}

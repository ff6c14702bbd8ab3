import { createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, createServer, type Server } from "node:net";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { mgmt } from "@daos/proto";

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
  const handler = connectNodeAdapter({
    routes: (router) =>
      router.service(mgmt.MgmtSvc, {
        prepShutdown: () => ({ status: 0 }),
        killRank: () => ({ status: 0 }),
      }),
  });
  const ports = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      listen(index < count - holes ? createHttp2Server(handler) : createServer(() => {})),
    ),
  );
  process.send?.({ ports } satisfies FromHosts);
}

function listen(server: Server | ReturnType<typeof createHttp2Server>): Promise<number> {
  return new Promise((resolve) =>
    server.listen({ port: 0, host: "127.0.0.1" }, () => resolve((server.address() as AddressInfo).port)),
  );
}

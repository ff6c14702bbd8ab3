import { join } from "node:path";
import type { ServerConfig } from "@daos/config";
import { DrpcServer, removeDeadSockets } from "@daos/drpc";
import { type DrpcModulesOptions, drpcModules } from "./drpc-modules.ts";

export interface ListenDrpcOptions extends Pick<DrpcModulesOptions, "harness" | "reporter" | "log"> {
  readonly config: Pick<ServerConfig, "socketDir" | "transport">;
}

/**
 * Listens for the engines. It removes the sockets of dead engines, now and when it is disposed of.
 *
 * @throws Fault of the socket
 */
export async function listenDrpc({
  config: { socketDir, transport },
  ...parts
}: ListenDrpcOptions): Promise<AsyncDisposable> {
  const drpc = new DrpcServer({
    path: join(socketDir, "daos_server.sock"),
    log: parts.log,
    modules: drpcModules({ ...parts, socketDir, transport }),
  });
  await drpc.listen();
  await using stack = new AsyncDisposableStack();
  stack.defer(async () => {
    await removeDeadSockets(socketDir, isEngineSocket);
  });
  stack.defer(() => drpc.close());
  await removeDeadSockets(socketDir, isEngineSocket);
  return stack.move();
}

function isEngineSocket(name: string): boolean {
  return /^daos_io_server.*\.sock$/.test(name);
}

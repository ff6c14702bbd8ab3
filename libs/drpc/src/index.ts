export { type ConnectOptions, DrpcClient, type WaitOptions } from "./drpc-client.ts";
export type { Body, BodyInit, BodyMessage, BodyResult, DrpcMethod } from "./drpc-method.ts";
export { drpcMethods, drpcModules } from "./drpc-methods.ts";
export {
  type BoundMethod,
  type DrpcModule,
  drpcModule,
  type Handler,
  type HandlerContext,
  handle,
} from "./drpc-module.ts";
export { DrpcServer, type DrpcServerOptions } from "./drpc-server.ts";
export { ENGINE_LAUNCHER } from "./engine-launcher.ts";
export { MAX_PACKET } from "./faults.ts";
export { tryLockFile } from "./file-lock.ts";
export type { PeerCredentials } from "./native.ts";
export { removeDeadSockets } from "./remove-dead-sockets.ts";

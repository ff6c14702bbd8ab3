export { DrpcClient, type WaitOptions } from "./drpc-client.ts";
export type { Body, BodyInit, BodyMessage, DrpcMethod } from "./drpc-method.ts";
export { drpcMethods, drpcModules } from "./drpc-methods.ts";
export {
  type BoundMethod,
  type DrpcModule,
  drpcModule,
  type HandlerContext,
  handle,
} from "./drpc-module.ts";
export { DrpcServer } from "./drpc-server.ts";
export { ENGINE_LAUNCHER } from "./engine-launcher.ts";

export { tryLockFile } from "./file-lock.ts";

export { removeDeadSockets } from "./remove-dead-sockets.ts";

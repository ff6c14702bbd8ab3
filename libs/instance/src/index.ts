export {
  type EngineArgumentsExtra,
  engineArguments,
  engineEnvironment,
  sharedMemoryId,
} from "./engine-arguments.ts";
export type {
  BdevPort,
  EngineFormatOptions,
  InstanceFormatResult,
  Owner,
  ScmPort,
} from "./engine-storage.ts";
export { ENGINE_NAME, findEngine } from "./find-engine.ts";
export { EngineInstance, type InstanceOptions, type InstanceState } from "./instance.ts";
export type { EngineReady, JoinRequest } from "./set-up-engine.ts";

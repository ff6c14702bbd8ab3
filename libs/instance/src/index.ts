export {
  type EngineArgumentsExtra,
  engineArguments,
  engineEnvironment,
  sharedMemoryId,
} from "./engine-arguments.ts";
export { ENGINE_NAME, findEngine } from "./find-engine.ts";
export {
  type BdevPort,
  EngineInstance,
  type InstanceFormatResult,
  type InstanceOptions,
  type InstanceState,
  type Owner,
  type ScmPort,
} from "./instance.ts";
export type { EngineReady, JoinRequest } from "./set-up-engine.ts";

export type { CommandOptions, DataPlane } from "./data-plane/data-plane.ts";
export {
  type EngineArgumentsExtra,
  engineArguments,
  engineEnvironment,
  sharedMemoryId,
} from "./data-plane/engine-arguments.ts";
export { dataPlane080 } from "./data-plane/release-0-8-0.ts";
export type { EngineReady, Joined, JoinRequest } from "./data-plane/set-up-engine.ts";
export type { EngineExit, EngineProcessOptions } from "./engine-process.ts";
export type {
  BdevPort,
  EngineFormatOptions,
  EngineStorageOptions,
  InstanceFormatResult,
  Owner,
  ScmPort,
} from "./engine-storage.ts";
export { faultStorageLost } from "./faults.ts";
export { ENGINE_NAME, findEngine } from "./find-engine.ts";
export { EngineInstance, type InstanceOptions, type InstanceState, servingProblem } from "./instance.ts";
export type { InstanceParts, ProcessPart, StoragePart } from "./instance-parts.ts";
export { planRestart, type RestartPlan } from "./plan-restart.ts";
export { type EngineRun, type SuperviseEnd, type SupervisePorts, supervise } from "./supervise.ts";

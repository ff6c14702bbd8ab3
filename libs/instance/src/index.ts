export type { EngineReady, Joined, JoinRequest } from "./data-plane/set-up-engine.ts";
export type { EngineExit } from "./engine-process.ts";
export type {
  EngineFormatOptions,
  EngineStorageOptions,
  InstanceFormatResult,
  Owner,
} from "./engine-storage.ts";
export { faultStorageLost } from "./faults.ts";
export { findEngine } from "./find-engine.ts";
export { EngineInstance, type InstanceOptions, type InstanceState, servingProblem } from "./instance.ts";
export type { InstanceParts, ProcessPart, StoragePart } from "./instance-parts.ts";

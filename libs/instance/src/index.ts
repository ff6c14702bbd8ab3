export type { EngineReady, JoinRequest, JoinResult } from "./data-plane/set-up-engine.ts";
export type { EngineExit } from "./engine-process.ts";
export type {
  EngineFormatOptions,
  EngineStorageOptions,
  InstanceFormatResult,
  Owner,
} from "./engine-storage.ts";
export { faultEngineNotFound, faultStorageLost, faultStorageUnwritable } from "./faults.ts";
export { findEngine } from "./find-engine.ts";
export { EngineInstance, type InstanceOptions } from "./instance.ts";
export type { InstanceParts, ProcessPart, StoragePart } from "./instance-parts.ts";
export { type InstanceState, servingProblem } from "./instance-state.ts";

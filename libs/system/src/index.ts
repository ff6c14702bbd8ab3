export { type JoinAnswer, type JoinCall, Joins, type JoinsOptions } from "./join-coordinator.ts";
export { callEngineHere, EngineGroup, type EngineGroupOptions, type MsMethod } from "./ms-replicas.ts";
export { type PrepShutdownOptions, prepShutdown } from "./prep-shutdown.ts";
export { type ReportAnswer, reportEngines } from "./report-engines.ts";
export {
  type ActionOptions,
  type ActionResult,
  DEFAULT_FANOUT,
  DEFAULT_STEP_MS,
  type MemberCalls,
  SystemActions,
  type SystemActionsOptions,
} from "./system-actions.ts";

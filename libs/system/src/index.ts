export { JoinCoordinator, type JoinCoordinatorOptions, type JoinResult } from "./join-coordinator.ts";
export { type MsMethod, MsReplicas, type MsReplicasOptions } from "./ms-replicas.ts";
export { type HostReport, type ReportResult, reportEngines } from "./report-engines.ts";
export { ServerRequests, type ServerRequestsOptions } from "./server-requests.ts";
export {
  type ActionOptions,
  type ActionResult,
  DEFAULT_FANOUT,
  DEFAULT_STEP_MS,
  type MemberCalls,
  SystemActions,
  type SystemActionsOptions,
} from "./system-actions.ts";

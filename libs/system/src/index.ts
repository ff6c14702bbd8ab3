export { type AttachRank, attachInfo } from "./attach-info.ts";
export { JoinCoordinator } from "./join-coordinator.ts";
export { type ForClient, type MsMethod, MsReplicas } from "./ms-replicas.ts";
export { PoolCoordinator, type PoolsResult } from "./pool-coordinator.ts";
export type { HostReport, ReportResult } from "./report-engines.ts";
export { ServerRequests } from "./server-requests.ts";
export {
  type ActionOptions,
  type ActionResult,
  DEFAULT_FANOUT,
  DEFAULT_STEP_MS,
  type MemberCalls,
  SystemActions,
} from "./system-actions.ts";

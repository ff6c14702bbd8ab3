export { FailureDetector, type FailureDetectorOptions, watchHosts } from "./failure-detector.ts";
export {
  type JoinRequest,
  Membership,
  type MembershipOptions,
} from "./membership.ts";
export type { HostReport } from "./plan-report.ts";
export type { Condition, EngineReport } from "./plan-transition.ts";
export { type SystemEvent, SystemEvents } from "./system-events.ts";

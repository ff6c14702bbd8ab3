export { FailureDetector, watchHosts } from "./failure-detector.ts";
export {
  type JoinPlan,
  type JoinRequest,
  Membership,
  type MembershipOptions,
  type Selected,
} from "./membership.ts";
export { type Condition, type EngineReport, planTransition } from "./plan-transition.ts";
export { type SystemEvent, type SystemEventKind, SystemEvents } from "./system-events.ts";

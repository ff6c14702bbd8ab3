export { ctlService } from "./ctl-service.ts";
export type { CtlServiceOptions } from "./ctl-service-options.ts";
export { pmemToProto } from "./storage-scan.ts";
export { type ActionOptions, type ActionResult, type MemberCalls, SystemActions } from "./system-actions.ts";
export { systemService } from "./system-service.ts";

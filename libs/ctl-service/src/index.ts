export { ctlService } from "./ctl-service.ts";
export type { CtlServiceOptions, MemberCalls } from "./ctl-service-options.ts";
export { pmemToProto } from "./storage-scan.ts";

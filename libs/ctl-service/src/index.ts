export { ctlService } from "./ctl-service.ts";
export type { CtlServiceOptions } from "./ctl-service-options.ts";
export { pmemToProto } from "./storage-scan.ts";
export { systemService } from "./system-service.ts";

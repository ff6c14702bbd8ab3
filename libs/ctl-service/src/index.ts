export { ctlService } from "./ctl-service.ts";
export type { SupportSource } from "./ctl-service-options.ts";

export { systemService } from "./system-service.ts";

export { ctlService } from "./ctl-service.ts";

export { systemService } from "./system-service.ts";

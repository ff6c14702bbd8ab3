export { callEngineHere, EngineGroup, type EngineGroupOptions } from "./engine-group.ts";
export { type JoinAnswer, type JoinCall, Joins } from "./join.ts";
export { mgmtService } from "./mgmt-service.ts";
export type { MgmtServiceOptions } from "./mgmt-service-options.ts";
export { peerAddressKey } from "./peer-address.ts";
export { prepShutdown } from "./prep-shutdown.ts";
export { reportEngines } from "./report-engines.ts";

export { joinFromProto } from "./join-from-proto.ts";
export { mgmtService } from "./mgmt-service.ts";
export type { MgmtServiceOptions } from "./mgmt-service-options.ts";
export { peerAddressKey } from "./peer-address.ts";
export { reportFromProto, reportResultToProto } from "./report-from-proto.ts";

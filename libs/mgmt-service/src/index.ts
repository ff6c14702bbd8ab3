export { joinFromProto } from "./join-from-proto.ts";
export { mgmtService } from "./mgmt-service.ts";

export { peerAddressKey } from "./peer-address.ts";
export { reportFromProto, reportResultToProto } from "./report-from-proto.ts";

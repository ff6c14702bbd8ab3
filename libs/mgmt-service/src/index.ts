export { clientCall } from "./client-call.ts";
export { joinFromProto } from "./join-from-proto.ts";
export { mgmtService } from "./mgmt-service.ts";

export { peerAddressKey, peerCertificateKey } from "./peer-address.ts";
export { reportFromProto, reportResultToProto } from "./report-from-proto.ts";

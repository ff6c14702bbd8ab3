export { cleanText } from "./clean-text.ts";
export { FaultCode } from "./codes.ts";
export { countOf } from "./count-of.ts";
export {
  type DaosStatus,
  daosStatusName,
  daosStatusNumber,
  faultDaosStatus,
} from "./daos-status.ts";
export { errorText } from "./error-text.ts";
export { Fault, type FaultDomain, hasCode, showResolution, toFault } from "./fault.ts";
export { type FaultAudience, faultForPeer, MAX_PEER_TEXT } from "./fault-for-peer.ts";
export { explainFault, type FaultEntry, formatFaultEntry, listFaults } from "./registry.ts";
export { isNotDone, isUnreachable, type RetryClass, retryClass } from "./retry-class.ts";

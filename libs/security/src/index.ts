export { AUDITED_CALLS } from "./audited-calls.ts";
export { audienceOf, RPC_ROLES } from "./authorize.ts";
export { authorizeCaller } from "./authorize-caller.ts";
export {
  type CertificatePaths,
  type CertificateState,
  type CertificateStatus,
  certificateStatus,
  describeStatus,
  needAttention,
} from "./certificate-status.ts";
export { checkRequest } from "./check-request.ts";
export { clientTlsSource } from "./client-tls-source.ts";
export { DEFAULT_LIMITS } from "./connection-limits.ts";
export { validateCredential } from "./credential.ts";
export { explainTlsError, isTlsError } from "./explain-tls-error.ts";
export {
  describeLimit,
  type FieldLimit,
  type FieldLimits,
  isWithin,
} from "./field-limit.ts";
export { createGrpcServer, type GrpcServer } from "./grpc-server.ts";
export { loadIdentity } from "./load-identity.ts";
export { checkLocalPeer } from "./local-peer.ts";
export {
  MAX_ADDRESS,
  MAX_CONTEXTS,
  MAX_ENGINES,
  MAX_FAULT_DOMAIN,
  MAX_MEMBERS,
  MAX_REASON,
  MAX_URI,
  METHOD_LIMITS,
} from "./method-limits.ts";
export { type Peer, peerOf } from "./peer.ts";
export { shareOf } from "./receive-budget.ts";
export { commonName, roleOf, userOf } from "./role.ts";
export { clientTlsOptions } from "./tls-options.ts";
export { warnOfExpiry } from "./warn-of-expiry.ts";

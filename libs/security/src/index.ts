export { type Authorization, authorize, RPC_ROLES } from "./authorize.ts";
export {
  type CertificatePaths,
  type CertificateState,
  type CertificateStatus,
  type CertificateStatusOptions,
  certificateStatus,
  describeStatus,
  EXPIRY_WARNING_DAYS,
  needAttention,
} from "./certificate-status.ts";
export { checkRequest } from "./check-request.ts";
export { type ConnectionLimits, DEFAULT_LIMITS, http2ServerLimits } from "./connection-limits.ts";
export {
  type CreateCredentialOptions,
  type CredentialSubject,
  createCredential,
  readSys,
  type ValidateCredentialOptions,
  validateCredential,
} from "./credential.ts";
export { explainTlsError, isTlsError, type TlsErrorContext } from "./explain-tls-error.ts";
export {
  applyLimits,
  describeLimit,
  type FieldLimit,
  type FieldLimits,
  isWithin,
  type Violation,
} from "./field-limit.ts";
export { createGrpcServer, type GrpcServer, type GrpcServerOptions } from "./grpc-server.ts";
export { guardHandler, type RequestHandler } from "./guard-handler.ts";
export { type GuardOptions, guardServer, type TrustedAuthorities } from "./guard-server.ts";
export { type Identity, type LoadIdentityOptions, loadIdentity } from "./load-identity.ts";
export { type CheckLocalPeerOptions, checkLocalPeer, type LocalPeer } from "./local-peer.ts";
export {
  MAX_ADDRESS,
  MAX_CONTEXTS,
  MAX_FAULT_DOMAIN,
  MAX_MEMBERS,
  MAX_REASON,
  MAX_URI,
  METHOD_LIMITS,
  type MethodLimit,
} from "./method-limits.ts";
export { type Peer, peerOf } from "./peer.ts";
export { type BudgetShare, RECEIVE_SHARES, REQUEST_COST, ReceiveBudget } from "./receive-budget.ts";
export { isRole, ROLES, type Role, roleOf } from "./role.ts";
export {
  type ClientTlsOptions,
  clientTlsOptions,
  serverTlsOptions,
  type TlsOptions,
} from "./tls-options.ts";
export type { TransportConfig } from "./transport-config.ts";
export { type PeerVerdict, type VerifyPeerOptions, verifyPeer } from "./verify-peer.ts";
export { warnOfExpiry } from "./warn-of-expiry.ts";
export { logExpiry, type WatchCertificatesOptions, watchCertificates } from "./watch-certificates.ts";

export {
  type CreateCredentialOptions,
  type CredentialSubject,
  createCredential,
  readSys,
  type ValidateCredentialOptions,
  validateCredential,
} from "./credential.ts";
export { type Identity, type LoadIdentityOptions, loadIdentity } from "./load-identity.ts";
export { isRole, ROLES, type Role, roleOf } from "./role.ts";
export { clientTlsOptions, serverTlsOptions, type TlsOptions } from "./tls-options.ts";
export type { TransportConfig } from "./transport-config.ts";
export { type PeerVerdict, type VerifyPeerOptions, verifyPeer } from "./verify-peer.ts";

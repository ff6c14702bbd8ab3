import { constants, X509Certificate } from "node:crypto";
import type { SecureClientSessionOptions, SecureServerOptions } from "node:http2";
import { isIP } from "node:net";
import { checkServerIdentity as checkName, createSecureContext, type PeerCertificate } from "node:tls";
import { faultRevoked, faultWrongName } from "./faults.ts";
import { type Identity, loadIdentity } from "./load-identity.ts";
import { commonName } from "./role.ts";
import type { TransportConfig } from "./transport-config.ts";
import { checkRole } from "./verify-certificate.ts";
import { identityWarnings } from "./warn-of-expiry.ts";

interface TlsOptions {
  readonly now?: (() => Date) | undefined;
}

export interface ClientTlsOptions extends TlsOptions {
  /** Called with a warning when the client's own certificate or the CA's expires within 30 days. */
  readonly onExpiring?: ((warning: string) => void) | undefined;
}

/** Maximum number of server certificates of which a client remembers that it has accepted them. */
const MAX_ACCEPTED = 4_096;

/** Options of TLS that the control plane's servers and clients share. */
const COMMON = { minVersion: "TLSv1.2", maxVersion: "TLSv1.3" } as const;

/**
 * TLS options of `http2.createSecureServer` for an identity that has been loaded.
 *
 * The server asks for a client certificate but OpenSSL does not verify it (`rejectUnauthorized: false`): `guardServer`
 * does, with `verifyPeer`, before any byte of HTTP/2 is read. Never use these options without it.
 */
export function identityServerOptions({ pem }: Identity): SecureServerOptions {
  return {
    ...COMMON,
    ca: pem.ca,
    cert: pem.cert,
    key: pem.key,
    requestCert: true,
    rejectUnauthorized: false,
    allowHTTP1: false,
    // A resumed session would keep an old verdict.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/**
 * TLS options of `http2.connect` (`nodeOptions` of a Connect transport); `undefined` when the configuration allows
 * plain text. The server must show a certificate of the same CA with `server_name` as its alternative name, or as its
 * common name when it has no alternative name, as those of release 0.8.0.
 *
 * @throws Fault for a file or certificate that cannot be used, see {@link loadIdentity}
 */
export async function clientTlsOptions(
  transport: TransportConfig,
  options: ClientTlsOptions = {},
): Promise<SecureClientSessionOptions | undefined> {
  if (transport.allowInsecure) return undefined;
  const { now, onExpiring } = options;
  const identity = await loadIdentity(transport, { roles: ["admin", "server", "agent"], now });
  if (onExpiring !== undefined) {
    for (const warning of identityWarnings(identity, transport, now?.() ?? new Date())) onExpiring(warning);
  }
  return identityClientOptions(identity, transport.serverName);
}

/** As {@link clientTlsOptions}, for an identity that has been loaded. */
export function identityClientOptions(identity: Identity, serverName: string): SecureClientSessionOptions {
  const { pem } = identity;
  const accepted = new Set<string>();
  return {
    // Made once for all connections: parsing the files for each one costs more than a handshake.
    secureContext: createSecureContext({ ...COMMON, ca: pem.ca, cert: pem.cert, key: pem.key }),
    // An address is not allowed as SNI, RFC 6066 section 3.
    servername: isIP(serverName) === 0 ? serverName : "",
    // All servers of a system may have the same certificate. OpenSSL checks its chain, key and dates each time.
    checkServerIdentity: (_host, certificate) => {
      const { fingerprint256 } = certificate;
      if (accepted.has(fingerprint256)) return undefined;
      const refusal = checkServerIdentity(serverName, certificate, identity);
      if (refusal === undefined && accepted.size < MAX_ACCEPTED) accepted.add(fingerprint256);
      return refusal;
    },
  };
}

/** The fault when a server's certificate is not for `serverName`, or is a client's; called after OpenSSL's checks. */
function checkServerIdentity(
  serverName: string,
  peer: PeerCertificate,
  { authorities, revocations }: Identity,
): Error | undefined {
  const certificate = new X509Certificate(peer.raw);
  const source = { peer: "the server" };
  for (const authority of authorities) {
    const at = certificate.checkIssued(authority)
      ? revocations?.revokedAt(certificate, authority)
      : undefined;
    if (at !== undefined) return faultRevoked(certificate, source, at);
  }
  if (checkName(serverName, peer) !== undefined) {
    const names = certificate.subjectAltName ?? `CN:${commonName(certificate) ?? "(none)"}`;
    return faultWrongName(certificate, serverName, names.slice(0, 200), source);
  }
  // An alternative name may be copied from a request; the common name comes from the CA itself.
  const name = commonName(certificate);
  return name === "admin" || name === "agent" ? checkRole(certificate, source, ["server"]) : undefined;
}

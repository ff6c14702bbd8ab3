/** The `transport_config` section of a configuration, with its defaults filled in. Paths may be relative. */
export interface TransportConfig {
  /** Plain text, and no certificates, roles or credentials. */
  readonly allowInsecure: boolean;
  /** The name that clients look for in the server's certificate, and send as SNI; `server` by default. */
  readonly serverName: string;
  /** The directory of the agents' certificates, `<origin>.crt`, for checking credentials. */
  readonly clientCertDir: string;
  /** PEM file with the certificate authority; several while one replaces another. */
  readonly caCert: string;
  /** PEM file with the certificates that the authority has revoked; no list by default. */
  readonly crl?: string | undefined;
  /** PEM file with this program's certificate. */
  readonly cert: string;
  /** PEM file with the private key of `cert`. */
  readonly key: string;
}

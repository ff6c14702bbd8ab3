import { createHash, type KeyObject, sign, timingSafeEqual, verify, type X509Certificate } from "node:crypto";
import { realpath } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { auth } from "@daos/proto";
import { faultCredential, faultFileMissing } from "./faults.ts";
import { loadRevocations } from "./load-revocations.ts";
import { checkCertificateDirectory, readCertificates } from "./read-pem-file.ts";
import type { TransportConfig } from "./transport-config.ts";
import { checkIssued, checkRole } from "./verify-certificate.ts";

/** The form of an origin, which becomes the name of a file. */
const ORIGIN = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/;

export interface ValidateCredentialOptions {
  readonly transport: Pick<TransportConfig, "allowInsecure" | "clientCertDir" | "caCert" | "crl">;
  readonly now?: (() => Date) | undefined;
}

/**
 * Checks the credential that a client got from its agent, and returns its token. The engine asks for this before it
 * opens a pool (dRPC module 4, method 401).
 *
 * In insecure mode the verifier must be the SHA-512 of the serialized token. Otherwise it must be a signature over the
 * serialized token with SHA-512 (RSA PKCS #1 v1.5; ECDSA in DER form for agents of ours) by the key of
 * `<client_cert_dir>/<origin>.crt`, a certificate with the role `agent` that the configured CA issued and that is
 * valid.
 *
 * @throws Fault that says what is wrong with the credential, or with the files it is checked with
 * @see DAOS 0.8.0 src/control/server/security_rpc.go, src/control/security/auth/auth_sys.go VerifyToken
 */
export async function validateCredential(
  credential: auth.Credential,
  options: ValidateCredentialOptions,
): Promise<auth.Token> {
  const { transport, now = () => new Date() } = options;
  const { token, verifier, origin } = credential;
  if (token === undefined || verifier === undefined) {
    throw faultCredential(
      "it has no token, or no verifier",
      "check that client, agent and server are of compatible releases",
    );
  }
  checkSys(token);
  const signed = toBinary(auth.TokenSchema, token);
  if (transport.allowInsecure) {
    const digest = createHash("sha512").update(signed).digest();
    if (verifier.data.length === digest.length && timingSafeEqual(verifier.data, digest)) return token;
    throw faultCredential(
      "its verifier is not the hash of its token",
      "set allow_insecure on the agent as on the server: a signed credential does not pass in insecure mode",
    );
  }
  const { path, certificate } = await readOriginCertificate(transport.clientCertDir, origin);
  const authorities = await readCertificates(transport.caCert, "CA certificate");
  const revocations = await loadRevocations(transport, authorities);
  const caPath = resolve(transport.caCert);
  const fault =
    checkIssued(certificate, { authorities, revocations, path, caPath, now: now() }) ??
    checkRole(certificate, { path }, ["agent"]);
  if (fault !== undefined) throw fault;
  if (!verify("sha512", signed, certificate.publicKey, verifier.data)) {
    throw faultCredential(
      `its signature was not made with the key of ${path}`,
      `copy the agent's certificate there, and check that allow_insecure is the same on the agent and the server`,
    );
  }
  return token;
}

/** Who a credential is for. Names end in `@`, as in `alice@`. */
export type CredentialSubject = MessageInitShape<typeof auth.SysSchema>;

export interface CreateCredentialOptions {
  /** The agent's private key; without it the verifier is a bare hash, which passes in insecure mode only. */
  readonly key?: KeyObject | undefined;
  /** The name of the agent's certificate on the servers, without `.crt`; `agent` by default. */
  readonly origin?: string;
}

/** The credential an agent gives a client. @see DAOS 0.8.0 src/control/security/auth/auth_sys.go AuthSysRequestFromCreds */
export function createCredential(
  subject: CredentialSubject,
  options: CreateCredentialOptions = {},
): auth.Credential {
  const { key, origin = "agent" } = options;
  const data = toBinary(auth.SysSchema, create(auth.SysSchema, subject));
  const token = create(auth.TokenSchema, { flavor: auth.Flavor.AUTH_SYS, data });
  const signed = toBinary(auth.TokenSchema, token);
  const proof =
    key === undefined ? createHash("sha512").update(signed).digest() : sign("sha512", signed, key);
  return create(auth.CredentialSchema, {
    token,
    verifier: { flavor: auth.Flavor.AUTH_SYS, data: new Uint8Array(proof) },
    origin,
  });
}

/** The identity in a token of the flavor AUTH_SYS. @throws Fault when it is of another flavor, or does not decode */
export function readSys(token: auth.Token): auth.Sys {
  return checkSys(token);
}

function checkSys(token: auth.Token): auth.Sys {
  const advice = "check that client, agent and server are of compatible releases";
  if (token.flavor !== auth.Flavor.AUTH_SYS) {
    throw faultCredential(`its flavor is ${auth.Flavor[token.flavor] ?? token.flavor}, not AUTH_SYS`, advice);
  }
  try {
    return fromBinary(auth.SysSchema, token.data);
  } catch (error) {
    throw faultCredential("its token does not decode", advice, error);
  }
}

/**
 * Finds the certificate of an origin. The origin must be a name, never a path, and the file must be in the directory
 * itself.
 */
async function readOriginCertificate(
  directory: string,
  origin: string,
): Promise<{ readonly path: string; readonly certificate: X509Certificate }> {
  if (!ORIGIN.test(origin) || origin.includes("..")) {
    throw faultCredential(
      `its origin ${JSON.stringify(origin.slice(0, 80))} is not a name`,
      "an origin has letters, digits and . _ - only, at most 64",
    );
  }
  await checkCertificateDirectory(directory);
  const path = join(resolve(directory), `${origin}.crt`);
  const [real, home] = await Promise.all([realpath(path).catch(() => path), realpath(directory)]);
  if (dirname(real) !== home && dirname(real) !== resolve(directory))
    throw faultFileMissing(path, "certificate");
  const [certificate] = await readCertificates(real);
  return { path, certificate };
}

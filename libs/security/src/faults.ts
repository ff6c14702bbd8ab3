import type { X509Certificate } from "node:crypto";
import { cleanText, errorText, Fault, FaultCode } from "@daos/fault";
import type { Violation } from "./field-limit.ts";
import { commonName, type Role, showSubject } from "./role.ts";

/** The purpose of a file, as messages name it. */
export type FilePurpose =
  | "CA certificate"
  | "certificate"
  | "private key"
  | "client certificate directory"
  | "revocation list";

const KEYS: Readonly<Record<FilePurpose, string>> = {
  "CA certificate": "ca_cert",
  certificate: "cert",
  "private key": "key",
  "client certificate directory": "client_cert_dir",
  "revocation list": "crl",
};

function fault(
  code: number,
  description: string,
  resolution: string,
  more: { reason?: string; cause?: unknown } = {},
): Fault {
  return new Fault({ domain: "security", code, description, resolution, ...more });
}

export function faultFileMissing(path: string, purpose: FilePurpose): Fault {
  return fault(
    FaultCode.securityFileMissing,
    `the ${purpose} ${path} does not exist`,
    `set ${KEYS[purpose]} in transport_config to the right path, or make certificates with "daos-server cert init" and ` +
      `"daos-server cert issue"; only a test system should set allow_insecure instead`,
  );
}

export function faultFileUnreadable(path: string, purpose: FilePurpose, cause: unknown): Fault {
  return fault(
    FaultCode.securityFileUnreadable,
    `the ${purpose} ${path} cannot be read`,
    `let the user that runs this program own the file, and search its directories`,
    { reason: errorText(cause), cause },
  );
}

export function faultFileKind(path: string, purpose: FilePurpose, wanted: string): Fault {
  return fault(
    FaultCode.securityFileMalformed,
    `the ${purpose} ${path} is not a ${wanted}`,
    `set ${KEYS[purpose]} in transport_config to a ${wanted}`,
  );
}

export function faultFileMode(path: string, purpose: FilePurpose, mode: number, most: number): Fault {
  return fault(
    FaultCode.securityFileMode,
    `the ${purpose} ${path} is too open: its mode is ${octal(mode)}, safe is ${safeMode(most)}`,
    `run: chmod ${octal(mode & most)} ${path}`,
  );
}

export function faultDirectoryOpen(
  directory: string,
  path: string,
  purpose: FilePurpose,
  mode: number,
): Fault {
  return fault(
    FaultCode.securityFileMode,
    `the ${purpose} ${path} can be replaced by anyone: the mode of ${directory} is ${octal(mode)}`,
    `run: chmod o-w ${directory}`,
  );
}

export function faultMalformed(path: string, purpose: FilePurpose, reason: string, cause?: unknown): Fault {
  return fault(
    FaultCode.securityFileMalformed,
    `the ${purpose} ${path} cannot be used`,
    `put a ${purpose} in PEM form there, without a passphrase; "daos-server cert issue" makes one`,
    { reason, cause },
  );
}

/** A file of the signing CA does not exist. */
export function faultNoAuthority(directory: string, missing: Fault): Fault {
  return fault(
    FaultCode.securityFileMissing,
    `there is no certificate authority in ${directory}`,
    `name the directory of the CA with --directory, on the host that has its key; or make one with ` +
      `"daos-server cert init --directory ${directory}"`,
    { reason: missing.description, cause: missing },
  );
}

export function faultKeyMismatch(certPath: string, keyPath: string): Fault {
  return fault(
    FaultCode.securityKeyMismatch,
    `the private key ${keyPath} does not belong to the certificate ${certPath}`,
    `set cert and key in transport_config to files that were made together, or issue a new pair with "daos-server cert issue"`,
  );
}

/** The source of a wrong certificate: a file of this host, or a peer. */
export interface CertificateSource {
  /** The file, when it is one of ours; otherwise the peer presented it. */
  readonly path?: string | undefined;
  /** The peer's address, when it presented the certificate. */
  readonly peer?: string | undefined;
}

function named(certificate: X509Certificate | undefined, source: CertificateSource): string {
  const subject = certificate === undefined ? "" : ` (${showSubject(certificate)})`;
  if (source.path !== undefined) return `the certificate ${source.path}${subject}`;
  return `the certificate${subject} presented by ${source.peer ?? "the peer"}`;
}

function whereToPut(source: CertificateSource): string {
  return source.path === undefined
    ? "there, in the files that its transport_config names"
    : `as ${source.path}`;
}

export function faultExpired(certificate: X509Certificate | undefined, source: CertificateSource): Fault {
  return fault(
    FaultCode.certificateExpired,
    `${named(certificate, source)} ${certificate === undefined ? "has expired" : `expired on ${certificate.validToDate.toISOString()}`}`,
    certificate?.ca === true
      ? `make a new CA with "daos-server cert init" and issue every certificate again`
      : `renew it with "daos-server cert renew" on the host of the CA, and install it ${whereToPut(source)}; also check the clocks`,
  );
}

export function faultNotYetValid(certificate: X509Certificate | undefined, source: CertificateSource): Fault {
  const start = certificate === undefined ? "now" : certificate.validFromDate.toISOString();
  return fault(
    FaultCode.certificateNotYetValid,
    `${named(certificate, source)} is not valid before ${start}`,
    `check that the clocks of both hosts are right; otherwise wait, or issue it again with "daos-server cert issue"`,
  );
}

export function faultRevoked(certificate: X509Certificate, source: CertificateSource, at: Date): Fault {
  return fault(
    FaultCode.certificateRevoked,
    `${named(certificate, source)} was revoked on ${at.toISOString()}`,
    `issue another one with "daos-server cert issue" and install it ${whereToPut(source)}`,
  );
}

/** A revocation list cannot be used, so it is unknown which certificates were revoked. */
export function faultRevocationList(path: string, reason: string, cause?: unknown): Fault {
  return fault(
    FaultCode.revocationListUnusable,
    `the revocation list ${path} cannot be used`,
    `install the list that "daos-server cert revoke" writes, or another CRL in PEM form of the CA in ca_cert; or leave out crl`,
    { reason, cause },
  );
}

export function faultWrongAuthority(
  certificate: X509Certificate | undefined,
  source: CertificateSource & { readonly caPath?: string | undefined },
  reason: string,
): Fault {
  const ours = source.caPath === undefined ? "the CA in use here" : `the CA in ${source.caPath}`;
  return fault(
    FaultCode.certificateWrongAuthority,
    `${named(certificate, source)} was not issued by ${ours}`,
    `give both hosts the same ca_cert, and certificates that this CA issued`,
    { reason },
  );
}

export function faultWrongName(
  certificate: X509Certificate | undefined,
  wanted: string,
  names: string,
  source: CertificateSource,
): Fault {
  return fault(
    FaultCode.certificateWrongName,
    `${named(certificate, source)} is for ${names}, and not for "${wanted}"`,
    `set server_name in transport_config to a name in the server's certificate, or issue that certificate for "${wanted}"`,
  );
}

export function faultWrongRole(
  certificate: X509Certificate | undefined,
  source: CertificateSource,
  wanted: readonly Role[],
  reason?: string,
): Fault {
  const name = certificate === undefined ? undefined : commonName(certificate);
  const role =
    certificate === undefined
      ? "another role"
      : `the role ${name === undefined ? "(none)" : JSON.stringify(name.slice(0, 64))}`;
  return fault(
    FaultCode.certificateWrongRole,
    `${named(certificate, source)} has ${role}, but ${wanted.join(" or ")} is needed`,
    `issue one with "daos-server cert issue --role ${wanted[0] ?? "admin"}" and install it ${whereToPut(source)}`,
    reason === undefined ? {} : { reason },
  );
}

/** The other side has refused our own certificate, with few details. */
export function faultRefusedByPeer(
  code: number,
  peer: string,
  certPath: string,
  opinion: string,
  cause: unknown,
): Fault {
  return fault(
    code,
    `${peer} refused the certificate ${certPath}: ${opinion}`,
    `look in the log of that host for the reason, and here: "daos-server cert status"`,
    { cause },
  );
}

export function faultNoCertificate(peer: string): Fault {
  return fault(
    FaultCode.certificateMissing,
    `${peer} presented no client certificate`,
    `set ca_cert, cert and key in the transport_config of that client`,
  );
}

export function faultTooWeak(
  certificate: X509Certificate | undefined,
  source: CertificateSource,
  reason: string,
): Fault {
  return fault(
    FaultCode.certificateTooWeak,
    `${named(certificate, source)} is too weak`,
    `issue it again with "daos-server cert issue": ECDSA P-256 or RSA 4096 with SHA-256 or better`,
    { reason },
  );
}

export function faultCredential(reason: string, resolution: string, cause?: unknown): Fault {
  return fault(FaultCode.credentialInvalid, "the client's credential is not valid", resolution, {
    reason,
    cause,
  });
}

function safeMode(most: number): string {
  return (most & 0o077) === 0 ? "nothing for group and others" : `no more than ${octal(most)}`;
}

function octal(mode: number): string {
  return `0${(mode & 0o777).toString(8)}`;
}

export function faultPlainText(peer: string): Fault {
  return fault(
    FaultCode.plainTextPeer,
    `${peer} connected in plain text, but this server wants TLS`,
    `leave out -i (--insecure) or allow_insecure on that client, and give it ca_cert, cert and key in transport_config`,
  );
}

export function faultTlsAgainstPlainText(peer: string): Fault {
  return fault(
    FaultCode.plainTextPeer,
    `${peer} connected with TLS, but this server runs with allow_insecure`,
    `use -i (--insecure) on that client, or set allow_insecure: false and certificates on the server`,
  );
}

export function faultServerPlainText(peer: string, cause: unknown): Fault {
  return fault(
    FaultCode.plainTextPeer,
    `${peer} does not speak TLS`,
    `use -i (--insecure) if that server runs with allow_insecure; otherwise check the port`,
    { cause },
  );
}

export function faultConnectionLimit(who: string, most: number): Fault {
  return fault(
    FaultCode.connectionLimit,
    `${who} opened more than ${most} connections at once`,
    `find out what runs there; connections above the limit are closed at once, others are not affected`,
  );
}

export function faultTls(attempted: string, reason: string, cause: unknown): Fault {
  return fault(
    FaultCode.tlsFailed,
    attempted,
    `check that both sides use TLS 1.2 or later with certificates of the same CA: "daos-server cert status"`,
    { reason, cause },
  );
}

export function faultNotAuthorized(path: string, role: string, wanted: readonly Role[]): Fault {
  return fault(
    FaultCode.notAuthorized,
    `${path} is not allowed with a certificate of the role ${role}`,
    `use a certificate of the role ${wanted.join(" or ")} (cert and key in transport_config)`,
  );
}

/** Another server forwards a call of a client that may not make it, or without the client's certificate. */
export function faultCallerNotAllowed(path: string, from: string, cause: Fault): Fault {
  return fault(
    FaultCode.notAuthorized,
    `${path} is not allowed to the client that the server at ${from} calls for: ${cause.description}`,
    `use a certificate that this server accepts for the call, and run the same release on all access points`,
  );
}

export function faultUnknownCall(path: string): Fault {
  return fault(
    FaultCode.notAuthorized,
    `${JSON.stringify(path.slice(0, 120))} is not a call of this server`,
    `use a client of the same release as the server`,
  );
}

export function faultAuthorityExists(path: string): Fault {
  return fault(
    FaultCode.certificateAuthorityExists,
    `there is a certificate authority already: ${path}`,
    `use it: "daos-server cert issue"; or give another directory. Replacing it would make every certificate it issued worthless`,
  );
}

export function faultFileExists(path: string): Fault {
  return fault(
    FaultCode.certificateAuthorityExists,
    `${path} exists already`,
    `renew it with "daos-server cert renew", or choose another --name`,
  );
}

export function faultBadName(name: string): Fault {
  return fault(
    FaultCode.usage,
    `${JSON.stringify(name.slice(0, 80))} cannot be the name of a certificate`,
    `use letters, digits and . _ - only, at most 64 (a host name for an alternative name)`,
  );
}

export function faultNotOurs(path: string, caPath: string): Fault {
  return fault(
    FaultCode.certificateWrongAuthority,
    `the certificate ${path} cannot be renewed: ${caPath} did not issue it, or it has no role`,
    `issue a new one with "daos-server cert issue"`,
  );
}

export function faultCertificateRequest(path: string, reason: string, cause?: unknown): Fault {
  return fault(
    FaultCode.certificateRequestUnusable,
    `the certificate request ${path} cannot be signed`,
    'make one with "daos-server cert request --role ROLE" on the host that needs the certificate, and copy it as it is',
    { reason, cause },
  );
}

export function faultLocalPeer(peer: {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}): Fault {
  return fault(
    FaultCode.notAuthorized,
    `process ${peer.pid} (uid ${peer.uid}, gid ${peer.gid}) may not use the sockets of this server`,
    `run it as root, as the server's user, or as a member of the server's group`,
  );
}

export function faultConnectionRate(who: string, perSecond: number): Fault {
  return fault(
    FaultCode.connectionLimit,
    `${who} keeps opening more than ${perSecond} connections a second`,
    `find out what runs there; it has to wait, others are not affected`,
  );
}

export function faultCancelledCalls(who: string, burst: number, perSecond: number): Fault {
  return fault(
    FaultCode.connectionLimit,
    `${who} keeps cancelling its calls: more than ${burst} at once, or ${perSecond} a second`,
    `find out what runs there; it has to wait, others are not affected`,
  );
}

/** Maximum length of a refused value in a fault, in characters. */
const SHOWN = 64;

/** A field of a request is outside its limit. */
export function faultRequestInvalid(path: string, { field, value, limit }: Violation): Fault {
  return new Fault({
    domain: "general",
    code: FaultCode.requestInvalid,
    description: `the field ${field} of ${path} is ${showValue(value)}`,
    reason: `it must be ${limit}`,
    resolution: "correct the value; if a program of this release sent it, report that with both logs",
  });
}

function showValue(value: unknown): string {
  if (typeof value === "string") {
    const length = value.length > SHOWN ? ` (${value.length} characters)` : "";
    return `${JSON.stringify(cleanText(value, SHOWN))}${length}`;
  }
  return value instanceof Uint8Array ? `${value.length} bytes long` : cleanText(String(value), SHOWN);
}

/** A request is larger than its method allows. */
export function faultRequestTooLarge(path: string, bytes: number, most: number): Fault {
  return new Fault({
    domain: "general",
    code: FaultCode.requestTooLarge,
    description: `a request of ${path} has ${bytes} bytes or more`,
    reason: `${most} is the most`,
    resolution: "ask for less at once, as in fewer ranks or hosts",
  });
}

/** The unfinished requests of a role have used up its memory budget. */
export function faultReceiveBudget(who: string, most: number): Fault {
  return fault(
    FaultCode.connectionLimit,
    `unfinished requests with certificates of the role ${who} have ${most} bytes, which is the most`,
    "try again in a moment; if it goes on, find out which clients send requests that never end",
  );
}

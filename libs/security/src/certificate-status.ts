import type { X509Certificate } from "node:crypto";
import { readdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type Fault, FaultCode, hasCode, toFault } from "@daos/fault";
import { authorityFiles } from "./ca/authority-files.ts";
import { faultKeyMismatch } from "./faults.ts";
import { loadRevocations } from "./load-revocations.ts";
import { checkCertificateDirectory, readCertificates, readPrivateKey } from "./read-pem-file.ts";
import { type Role, roleOf, showSubject } from "./role.ts";
import type { TransportConfig } from "./transport-config.ts";
import { checkDates, checkIssued, checkRole } from "./verify-certificate.ts";

/** Certificates that expire within this number of days are reported. */
export const EXPIRY_WARNING_DAYS = 30;

const DAY_MS = 24 * 3600 * 1000;

/** What is known about one certificate file. */
export interface CertificateStatus {
  readonly path: string;
  /** `ca`, a role, or `undefined` when the file cannot be read. */
  readonly kind: "ca" | Role | "other" | undefined;
  readonly subject: string | undefined;
  readonly notAfter: Date | undefined;
  /** Whole days until it expires, rounded down; negative when it has expired. */
  readonly daysLeft: number | undefined;
  readonly keyType: string | undefined;
  readonly state: CertificateState;
  /** Why the state is `unusable` or `revoked`. */
  readonly fault: Fault | undefined;
}

/**
 * `expiring`: within {@link EXPIRY_WARNING_DAYS}. `unusable`: expired, not issued by the CA, too open, missing, ...
 * `revoked`: one that an authority on this host has issued and taken back, which is as it should be; one that is configured
 * is `unusable` then.
 */
export type CertificateState = "ok" | "expiring" | "unusable" | "revoked";

/** The files to examine: those of a transport configuration, or only a CA and the certificates that it issued. */
export type CertificatePaths = Pick<TransportConfig, "caCert"> &
  Partial<Pick<TransportConfig, "cert" | "key" | "clientCertDir" | "crl">>;

export interface CertificateStatusOptions {
  readonly now?: (() => Date) | undefined;
  /** The directory of a certificate authority on this host, whose certificates are listed too. */
  readonly caDirectory?: string | undefined;
  /** The role that the configured certificate must have; any by default. */
  readonly role?: Role | undefined;
}

/**
 * The state of every certificate that a configuration names, and of those in its client certificate directory and in a
 * certificate authority's directory. It throws no faults: they are part of the result.
 */
export async function certificateStatus(
  paths: CertificatePaths,
  options: CertificateStatusOptions = {},
): Promise<readonly CertificateStatus[]> {
  const { now = () => new Date(), caDirectory, role } = options;
  const at = now();
  const { cert, key, clientCertDir } = paths;
  const authorities = await readCertificates(paths.caCert, "CA certificate").catch(() => []);
  const caPath = resolve(paths.caCert);
  // A list that cannot be used is reported where it is loaded, and ignored here.
  const revocations = await loadRevocations(paths, authorities).catch(() => undefined);
  const list = await statusOfAuthorities(caPath, at);
  if (cert !== undefined) {
    const checkOwn = async (certificate: X509Certificate, path: string) => {
      if (key !== undefined && !certificate.checkPrivateKey((await readPrivateKey(key)).key)) {
        return faultKeyMismatch(path, resolve(key));
      }
      return (
        checkIssued(certificate, { authorities, revocations, path, caPath, now: at }) ??
        (role === undefined ? undefined : checkRole(certificate, { path }, [role]))
      );
    };
    list.push(await statusOf(cert, at, checkOwn));
  }
  const seen = new Set(list.map((status) => status.path));
  const archive = caDirectory === undefined ? undefined : authorityFiles(caDirectory);
  const taken = archive && (await loadRevocations(archive, authorities).catch(() => undefined));
  const others = [
    ...(await listCertificates(clientCertDir)).map((path) => ({ path, revocations, isIssued: false })),
    ...[...(await listCertificates(archive?.certs)), ...(await listCertificates(archive?.clients))].map(
      (path) => ({ path, revocations: taken ?? revocations, isIssued: true }),
    ),
  ];
  for (const { path, isIssued, ...lists } of others) {
    if (seen.has(path)) continue;
    seen.add(path);
    const check = async (certificate: X509Certificate) =>
      certificate.ca
        ? checkDates(certificate, { path }, at)
        : checkIssued(certificate, { authorities, ...lists, path, caPath, now: at });
    const status = await statusOf(path, at, check);
    const isTakenBack = isIssued && hasCode(status.fault, FaultCode.certificateRevoked);
    list.push(isTakenBack ? { ...status, state: "revoked" } : status);
  }
  const open = await directoryTooOpen(clientCertDir);
  return list.map((status) =>
    open !== undefined && dirname(status.path) === resolve(clientCertDir ?? "")
      ? { ...status, state: "unusable", fault: status.fault ?? open }
      : status,
  );
}

/** A missing directory is no problem here: only servers that check credentials need it. */
async function directoryTooOpen(directory: string | undefined): Promise<Fault | undefined> {
  if (directory === undefined) return undefined;
  const fault = await checkCertificateDirectory(directory).then(() => undefined, toFault);
  return hasCode(fault, FaultCode.securityFileMode) ? fault : undefined;
}

/** The certificates that an operator must be warned about, the most urgent first. */
export function needAttention(list: readonly CertificateStatus[]): readonly CertificateStatus[] {
  return list
    .filter(({ state }) => state !== "ok" && state !== "revoked")
    .sort((a, b) => (a.daysLeft ?? Number.NEGATIVE_INFINITY) - (b.daysLeft ?? Number.NEGATIVE_INFINITY));
}

/** `certificate /etc/daos/server.crt (O=DAOS, CN=server) expires in 12 days`, or another fault of it. */
export function describeStatus(status: CertificateStatus): string {
  if (status.fault !== undefined) return status.fault.message;
  const { path, subject = "", daysLeft = 0, notAfter } = status;
  const days = daysLeft === 1 ? "1 day" : `${daysLeft} days`;
  return `the certificate ${path} (${subject}) expires in ${days}, on ${notAfter?.toISOString() ?? ""}`;
}

async function statusOfAuthorities(path: string, now: Date): Promise<CertificateStatus[]> {
  const certificates = await readCertificates(path, "CA certificate").catch((error: unknown) =>
    toFault(error),
  );
  if (!Array.isArray(certificates)) return [unreadable(path, certificates as Fault)];
  return (certificates as readonly X509Certificate[]).map((certificate) =>
    statusFrom(path, certificate, checkDates(certificate, { path }, now), now),
  );
}

async function statusOf(
  name: string,
  now: Date,
  check: (certificate: X509Certificate, path: string) => Promise<Fault | undefined>,
): Promise<CertificateStatus> {
  const path = resolve(name);
  try {
    const [certificate] = await readCertificates(path);
    const fault = await check(certificate, path).catch(toFault);
    return statusFrom(path, certificate, fault, now);
  } catch (error) {
    return unreadable(path, toFault(error));
  }
}

function statusFrom(
  path: string,
  certificate: X509Certificate,
  fault: Fault | undefined,
  now: Date,
): CertificateStatus {
  const notAfter = certificate.validToDate;
  const daysLeft = Math.floor((notAfter.getTime() - now.getTime()) / DAY_MS);
  const details = certificate.publicKey.asymmetricKeyDetails;
  const type = certificate.publicKey.asymmetricKeyType;
  return {
    path,
    kind: certificate.ca ? "ca" : (roleOf(certificate) ?? "other"),
    subject: showSubject(certificate),
    notAfter,
    daysLeft,
    keyType:
      type === "rsa" ? `RSA ${details?.modulusLength}` : type === "ec" ? `EC ${details?.namedCurve}` : type,
    state: fault !== undefined ? "unusable" : daysLeft < EXPIRY_WARNING_DAYS ? "expiring" : "ok",
    fault,
  };
}

function unreadable(path: string, fault: Fault): CertificateStatus {
  const nothing = {
    kind: undefined,
    subject: undefined,
    notAfter: undefined,
    daysLeft: undefined,
    keyType: undefined,
  };
  return { path, ...nothing, state: "unusable", fault };
}

async function listCertificates(directory: string | undefined): Promise<string[]> {
  if (directory === undefined) return [];
  const home = resolve(directory);
  const names = await readdir(home).catch(() => []);
  return names
    .filter((name) => name.endsWith(".crt"))
    .sort()
    .map((name) => join(home, name));
}

import { resolve } from "node:path";
import { FaultCode, hasCode } from "@daos/fault";
import { writeFileAtomic } from "@daos/sys";
import { faultNotOurs } from "../faults.ts";
import { readCertificates } from "../read-pem-file.ts";
import { readRevocations } from "../revocations.ts";
import { authorityFiles, loadAuthority } from "./authority-files.ts";
import { buildRevocationList } from "./build-revocation-list.ts";

export interface RevokeOptions {
  readonly directory: string;
  /** The certificate file to revoke. */
  readonly cert: string;
  readonly now?: () => Date;
}

/** The revoked certificate, and the path of the list. */
export interface Revoked {
  readonly cert: string;
  readonly serial: string;
  readonly list: string;
  /** How many certificates are on the list. */
  readonly count: number;
  /** It was on the list already. */
  readonly before: boolean;
}

/**
 * Puts a certificate of this authority on its revocation list, and signs the list anew. The list is good for as long as the
 * authority is.
 *
 * @throws Fault, and the list stays as it was
 */
export async function revokeCertificate(options: RevokeOptions): Promise<Revoked> {
  const { directory, now = () => new Date() } = options;
  const files = authorityFiles(directory);
  const cert = resolve(options.cert);
  const authority = await loadAuthority(files, now());
  const [certificate] = await readCertificates(cert);
  const isOurs =
    certificate.checkIssued(authority.certificate) && certificate.verify(authority.certificate.publicKey);
  if (!isOurs || certificate.ca) throw faultNotOurs(cert, files.cert);
  const old = await readRevocations(files.crl, [authority.certificate]).catch((error: unknown) => {
    if (hasCode(error, FaultCode.securityFileMissing)) return undefined;
    throw error;
  });
  const revoked = old?.entries ?? [];
  const serial = BigInt(`0x${certificate.serialNumber}`);
  const before = revoked.some((one) => one.serial === serial);
  const next = before ? revoked : [...revoked, { serial, at: now() }];
  if (!before) {
    const content = {
      number: (old?.number ?? 0) + 1,
      revoked: next,
      thisUpdate: now(),
      nextUpdate: authority.certificate.validToDate,
    };
    await writeFileAtomic(files.crl, buildRevocationList(content, authority), { mode: 0o644 });
  }
  return { cert, serial: certificate.serialNumber, list: files.crl, count: next.length, before };
}

import { verify, type X509Certificate } from "node:crypto";
import { resolve } from "node:path";
import { errorText } from "@daos/fault";
import { AsnConvert } from "@peculiar/asn1-schema";
import { CertificateList, CRLNumber, id_ce_cRLNumber } from "@peculiar/asn1-x509";
import { faultRevocationList } from "./faults.ts";
import { readRevocationLists } from "./read-pem-file.ts";
import { signatureHash } from "./signature-hash.ts";

/** The certificates that their authorities have revoked. */
export interface Revocations {
  /** When `authority` revoked the certificate; undefined when it did not. */
  revokedAt(certificate: X509Certificate, authority: X509Certificate): Date | undefined;
  /** All certificates on the lists. */
  readonly entries: readonly { readonly serial: bigint; readonly at: Date }[];
  /** The highest number of the lists; 0 when they have none. */
  readonly number: number;
  /** When the first of the lists expires; undefined when no list has such a date. */
  readonly nextUpdate: Date | undefined;
}

/**
 * Reads the X.509 revocation lists (CRL, RFC 5280 section 5) of a PEM file. Each must be signed by one of
 * `authorities`.
 *
 * @throws Fault when the file cannot be read, or a list cannot be used: then it is unknown which certificates were
 * revoked
 */
export async function readRevocations(
  path: string,
  authorities: readonly X509Certificate[],
): Promise<Revocations> {
  const file = resolve(path);
  const lists = (await readRevocationLists(file)).map((der) => parse(der, file));
  const revoked = new Map<string, Map<bigint, Date>>();
  for (const list of lists) {
    const issuer = authorities.find((authority) => isSignedBy(list, authority));
    if (issuer === undefined)
      throw faultRevocationList(file, "no certificate in ca_cert belongs to the key that signed it");
    checkExtensions(list, file);
    const serials = revoked.get(issuer.fingerprint256) ?? new Map<bigint, Date>();
    for (const { userCertificate, revocationDate } of list.tbsCertList.revokedCertificates ?? [])
      serials.set(numberOf(Buffer.from(userCertificate).toString("hex")), revocationDate.getTime());
    revoked.set(issuer.fingerprint256, serials);
  }
  return {
    revokedAt: ({ serialNumber }, { fingerprint256 }) =>
      revoked.get(fingerprint256)?.get(numberOf(serialNumber)),
    entries: [...revoked.values()].flatMap((serials) => [...serials].map(([serial, at]) => ({ serial, at }))),
    number: Math.max(...lists.map(listNumber)),
    nextUpdate: lists
      .flatMap(({ tbsCertList: { nextUpdate } }) => (nextUpdate === undefined ? [] : [nextUpdate.getTime()]))
      .sort((a, b) => a.getTime() - b.getTime())[0],
  };
}

function parse(der: Uint8Array<ArrayBuffer>, file: string): CertificateList {
  try {
    return AsnConvert.parse(der, CertificateList);
  } catch (error) {
    throw faultRevocationList(file, errorText(error), error);
  }
}

function isSignedBy(
  { signatureAlgorithm, tbsCertListRaw, signature }: CertificateList,
  authority: X509Certificate,
): boolean {
  const hash = signatureHash(signatureAlgorithm.algorithm);
  if (hash === undefined || tbsCertListRaw === undefined) return false;
  try {
    return verify(hash, new Uint8Array(tbsCertListRaw), authority.publicKey, new Uint8Array(signature));
  } catch {
    return false;
  }
}

/** A critical extension changes what a list means, as in a delta list: none is understood here. */
function checkExtensions({ tbsCertList }: CertificateList, file: string): void {
  const extensions = [
    ...(tbsCertList.crlExtensions ?? []),
    ...(tbsCertList.revokedCertificates ?? []).flatMap(({ crlEntryExtensions }) => crlEntryExtensions ?? []),
  ];
  const unknown = extensions.find(({ critical }) => critical);
  if (unknown !== undefined)
    throw faultRevocationList(file, `it has the critical extension ${unknown.extnID}`);
}

function listNumber({ tbsCertList: { crlExtensions = [] } }: CertificateList): number {
  const found = crlExtensions.find(({ extnID }) => extnID === id_ce_cRLNumber);
  return found === undefined ? 0 : AsnConvert.parse(found.extnValue.buffer, CRLNumber).value;
}

function numberOf(hex: string): bigint {
  return BigInt(`0x${hex === "" ? "0" : hex}`);
}

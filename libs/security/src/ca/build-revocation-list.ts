import { sign } from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AuthorityKeyIdentifier,
  CertificateList,
  CRLNumber,
  Extension,
  id_ce_authorityKeyIdentifier,
  id_ce_cRLNumber,
  KeyIdentifier,
  RevokedCertificate,
  TBSCertList,
  Time,
  Version,
} from "@peculiar/asn1-x509";
import type { Authority } from "./authority-files.ts";
import { keyId, rawSubject, signatureAlgorithm } from "./build-certificate.ts";
import { hashOf } from "./sign-certificate.ts";

/** A certificate that is on a list. */
interface RevokedSerial {
  readonly serial: bigint;
  readonly at: Date;
}

export interface RevocationListContent {
  /** Each list has a higher number than the one before. */
  readonly number: number;
  readonly revoked: readonly RevokedSerial[];
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
}

/** Makes a revocation list of version 2 in PEM form. @see RFC 5280 section 5 */
export function buildRevocationList(content: RevocationListContent, { certificate, key }: Authority): string {
  const hash = hashOf(key);
  const algorithm = signatureAlgorithm(key, hash);
  const { number, revoked, thisUpdate, nextUpdate } = content;
  const keyIdentifier = new KeyIdentifier(keyId(certificate.publicKey));
  const tbs = new TBSCertList({
    version: Version.v2,
    signature: algorithm,
    issuer: rawSubject(certificate),
    thisUpdate: new Time(thisUpdate),
    nextUpdate: new Time(nextUpdate),
    crlExtensions: [
      extension(id_ce_authorityKeyIdentifier, new AuthorityKeyIdentifier({ keyIdentifier })),
      extension(id_ce_cRLNumber, new CRLNumber(number)),
    ],
  });
  // An empty list of certificates is left out, RFC 5280 section 5.1.2.6.
  if (revoked.length > 0) {
    tbs.revokedCertificates = revoked.map(
      ({ serial, at }) =>
        new RevokedCertificate({ userCertificate: integerOf(serial), revocationDate: new Time(at) }),
    );
  }
  const signed = AsnConvert.serialize(tbs);
  const signature = sign(hash, new Uint8Array(signed), key);
  const der = AsnConvert.serialize(
    new CertificateList({
      tbsCertList: tbs,
      signatureAlgorithm: algorithm,
      signature: new Uint8Array(signature).buffer,
    }),
  );
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN X509 CRL-----\n${lines.join("\n")}\n-----END X509 CRL-----\n`;
}

function extension(extnID: string, value: unknown): Extension {
  return new Extension({ extnID, critical: false, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

/** The bytes of a positive INTEGER. */
function integerOf(serial: bigint): ArrayBuffer {
  const hex = serial.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  const bytes = Buffer.from(/^[89a-f]/.test(even) ? `00${even}` : even, "hex");
  return new Uint8Array(bytes).buffer;
}

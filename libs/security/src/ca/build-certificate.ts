import { createHash, createPublicKey, type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from "@peculiar/asn1-x509";

/** The content of a certificate. Absent extensions are left out of it. */
export interface CertificateContent {
  readonly subject: Subject;
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Present = basic constraints; `ca: true` makes it a CA. */
  readonly basicConstraints?: { readonly ca: boolean; readonly pathLength?: number | undefined } | undefined;
  readonly keyUsage?: readonly (keyof typeof KeyUsageFlags)[] | undefined;
  /** OIDs. */
  readonly extendedKeyUsage?: readonly string[] | undefined;
  /** Subject alternative names, of the kind dNSName. */
  readonly dnsNames?: readonly string[] | undefined;
  /** Subject and authority key identifiers, RFC 5280 section 4.2.1.1. */
  readonly keyIdentifiers?: boolean | undefined;
  readonly hash?: "sha1" | "sha256" | "sha512" | undefined;
}

/** The two parts of a name that DAOS uses, and who the certificate was issued to. */
export interface Subject {
  readonly organization: string;
  readonly user?: string | undefined;
  readonly commonName: string;
}

/** Who signs: a CA with its key, or the certificate's own key (`certificate` left out). */
export interface Issuer {
  readonly certificate?: X509Certificate | undefined;
  readonly key: KeyObject;
}

export const OID = {
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  userId: "0.9.2342.19200300.100.1.1",
} as const;
const SIGNATURE_OID = {
  rsa: { sha1: "1.2.840.113549.1.1.5", sha256: "1.2.840.113549.1.1.11", sha512: "1.2.840.113549.1.1.13" },
  ec: { sha1: "1.2.840.10045.4.1", sha256: "1.2.840.10045.4.3.2", sha512: "1.2.840.10045.4.3.4" },
} as const;

/** Makes a certificate. It accepts any content; {@link signCertificate} decides what is sensible. */
export function buildCertificate(content: CertificateContent, issuer: Issuer): X509Certificate {
  const { hash = "sha256" } = content;
  const algorithm = signatureAlgorithm(issuer.key, hash);
  const subject = nameOf(content.subject);
  const tbs = new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(),
    signature: algorithm,
    issuer: issuer.certificate === undefined ? subject : rawSubject(issuer.certificate),
    validity: new Validity({ notBefore: content.notBefore, notAfter: content.notAfter }),
    subject,
    subjectPublicKeyInfo: publicKeyInfo(content.publicKey),
    extensions: extensionsOf(content, issuer),
  });
  const signed = AsnConvert.serialize(tbs);
  const signature = sign(hash, new Uint8Array(signed), issuer.key);
  const der = AsnConvert.serialize(
    new Certificate({
      tbsCertificate: tbs,
      signatureAlgorithm: algorithm,
      signatureValue: new Uint8Array(signature).buffer,
    }),
  );
  return new X509Certificate(new Uint8Array(der));
}

/** The signature algorithm of a key. */
export function signatureAlgorithm(key: KeyObject, hash: "sha1" | "sha256" | "sha512"): AlgorithmIdentifier {
  const type = key.asymmetricKeyType;
  if (type !== "rsa" && type !== "ec") throw new Error(`cannot sign with a key of the type ${type}`);
  return new AlgorithmIdentifier({
    algorithm: SIGNATURE_OID[type][hash],
    // RSA wants an explicit NULL here, ECDSA nothing: RFC 4055 section 5, RFC 5758 section 3.2.
    ...(type === "rsa" ? { parameters: null } : {}),
  });
}

function extensionsOf(content: CertificateContent, issuer: Issuer): Extensions {
  const { basicConstraints, keyUsage, extendedKeyUsage, dnsNames, keyIdentifiers } = content;
  const list: Extension[] = [];
  const add = (id: string, critical: boolean, value: unknown) => {
    list.push(
      new Extension({ extnID: id, critical, extnValue: new OctetString(AsnConvert.serialize(value)) }),
    );
  };
  if (basicConstraints !== undefined) {
    const { ca, pathLength } = basicConstraints;
    const value = new BasicConstraints({ cA: ca });
    if (pathLength !== undefined) value.pathLenConstraint = pathLength;
    add(id_ce_basicConstraints, true, value);
  }
  if (keyUsage !== undefined) {
    const bits = keyUsage.reduce((sum, name) => sum | KeyUsageFlags[name], 0);
    add(id_ce_keyUsage, true, new KeyUsage(bits));
  }
  if (extendedKeyUsage !== undefined) {
    add(id_ce_extKeyUsage, false, new ExtendedKeyUsage([...extendedKeyUsage]));
  }
  if (dnsNames !== undefined) {
    const names = dnsNames.map((dNSName) => new GeneralName({ dNSName }));
    add(id_ce_subjectAltName, false, new SubjectAlternativeName(names));
  }
  if (keyIdentifiers === true) {
    add(id_ce_subjectKeyIdentifier, false, new SubjectKeyIdentifier(keyId(content.publicKey)));
    const issuerKey = createPublicKey(issuer.key);
    const keyIdentifier = new KeyIdentifier(keyId(issuerKey));
    add(id_ce_authorityKeyIdentifier, false, new AuthorityKeyIdentifier({ keyIdentifier }));
  }
  return new Extensions(list);
}

/** 16 random bytes, positive and never zero in front: RFC 5280 section 4.1.2.2. */
function serialNumber(): ArrayBuffer {
  const bytes = new Uint8Array(randomBytes(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.buffer;
}

export function nameOf(subject: Subject): Name {
  const part = (type: string, text: string) =>
    new RelativeDistinguishedName([
      new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String: text }) }),
    ]);
  const { organization, user, commonName } = subject;
  return new Name([
    part(OID.organization, organization),
    ...(user === undefined ? [] : [part(OID.userId, user)]),
    part(OID.commonName, commonName),
  ]);
}

/** The issuer's name must be the same bytes as the subject of its certificate. */
export function rawSubject(certificate: X509Certificate): Name {
  return AsnConvert.parse(certificate.raw, Certificate).tbsCertificate.subject;
}

export function publicKeyInfo(key: KeyObject): SubjectPublicKeyInfo {
  return AsnConvert.parse(key.export({ type: "spki", format: "der" }), SubjectPublicKeyInfo);
}

/** SHA-1 of the key's bit string, method 1 of RFC 5280 section 4.2.1.2: an identifier, not a safeguard. */
export function keyId(key: KeyObject): ArrayBuffer {
  const bits = publicKeyInfo(key).subjectPublicKey;
  return new Uint8Array(createHash("sha1").update(new Uint8Array(bits)).digest()).buffer;
}

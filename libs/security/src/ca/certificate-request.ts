import { createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { errorText } from "@daos/fault";
import { Attributes, CertificationRequest, CertificationRequestInfo } from "@peculiar/asn1-csr";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  Attribute,
  Extension,
  Extensions,
  GeneralName,
  id_ce_subjectAltName,
  SubjectAlternativeName,
} from "@peculiar/asn1-x509";
import { faultCertificateRequest } from "../faults.ts";
import { signatureHash } from "../signature-hash.ts";
import { nameOf, OID, publicKeyInfo, type Subject, signatureAlgorithm } from "./build-certificate.ts";
import { hashOf } from "./sign-certificate.ts";

/** The content of a certificate request. */
export interface CertificateRequest {
  readonly commonName: string | undefined;
  readonly user: string | undefined;
  readonly dnsNames: readonly string[];
  readonly publicKey: KeyObject;
}

/** PKCS#9 `extensionRequest`, RFC 2985 section 5.4.2. */
const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";
/** A request with a 16,384-bit key and fifty names has less. */
const MAX_FILE = 64 * 1024;
const PEM =
  /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END (?:NEW )?CERTIFICATE REQUEST-----/g;

/** Makes a request (PKCS#10, RFC 2986) in PEM form, signed with the key that it asks a certificate for. */
export function buildRequest(
  subject: Subject,
  dnsNames: readonly string[],
  keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject },
): string {
  const info = new CertificationRequestInfo({
    subject: nameOf(subject),
    subjectPKInfo: publicKeyInfo(keys.publicKey),
    attributes: new Attributes(dnsNames.length === 0 ? [] : [askForNames(dnsNames)]),
  });
  const hash = hashOf(keys.privateKey);
  const signature = sign(hash, new Uint8Array(AsnConvert.serialize(info)), keys.privateKey);
  const der = AsnConvert.serialize(
    new CertificationRequest({
      certificationRequestInfo: info,
      signatureAlgorithm: signatureAlgorithm(keys.privateKey, hash),
      signature: new Uint8Array(signature).buffer,
    }),
  );
  const lines = Buffer.from(der)
    .toString("base64")
    .match(/.{1,64}/g);
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines?.join("\n")}\n-----END CERTIFICATE REQUEST-----\n`;
}

function askForNames(dnsNames: readonly string[]): Attribute {
  const names = new SubjectAlternativeName(dnsNames.map((dNSName) => new GeneralName({ dNSName })));
  const extension = new Extension({
    extnID: id_ce_subjectAltName,
    extnValue: new OctetString(AsnConvert.serialize(names)),
  });
  return new Attribute({
    type: EXTENSION_REQUEST,
    values: [AsnConvert.serialize(new Extensions([extension]))],
  });
}

/**
 * Reads the request in a PEM file and checks that its maker has the key.
 *
 * @throws Fault certificateRequestUnusable
 */
export async function readRequest(path: string): Promise<CertificateRequest> {
  const file = resolve(path);
  const text = await readText(file);
  const [block, ...more] = [...text.matchAll(PEM)];
  if (block === undefined || more.length > 0)
    throw faultCertificateRequest(
      file,
      `it has ${block === undefined ? "no" : "more than one"} PEM block CERTIFICATE REQUEST`,
    );
  try {
    return checked(AsnConvert.parse(Buffer.from(block[1] ?? "", "base64"), CertificationRequest));
  } catch (error) {
    throw faultCertificateRequest(file, errorText(error), error);
  }
}

/** @throws Error that says what is wrong with it */
function checked(request: CertificationRequest): CertificateRequest {
  const { certificationRequestInfo: info, certificationRequestInfoRaw: raw } = request;
  const der = Buffer.from(AsnConvert.serialize(info.subjectPKInfo));
  const publicKey = createPublicKey({ key: der, format: "der", type: "spki" });
  const hash = signatureHash(request.signatureAlgorithm.algorithm);
  if (hash === undefined)
    throw new Error(
      `it is signed with the algorithm ${request.signatureAlgorithm.algorithm}, not with RSA or ECDSA and SHA-2`,
    );
  if (raw === undefined || !verify(hash, new Uint8Array(raw), publicKey, new Uint8Array(request.signature)))
    throw new Error("its signature is not of the key that it asks a certificate for");
  const part = (type: string) =>
    info.subject
      .flat()
      .find((one) => one.type === type)
      ?.value.toString();
  return {
    commonName: part(OID.commonName),
    user: part(OID.userId),
    dnsNames: requestedNames(info),
    publicKey,
  };
}

function requestedNames({ attributes = new Attributes() }: CertificationRequestInfo): readonly string[] {
  return attributes
    .filter(({ type }) => type === EXTENSION_REQUEST)
    .flatMap(({ values }) => values.flatMap((value) => [...AsnConvert.parse(value, Extensions)]))
    .filter(({ extnID }) => extnID === id_ce_subjectAltName)
    .flatMap(({ extnValue }) => [...AsnConvert.parse(extnValue.buffer, SubjectAlternativeName)])
    .flatMap(({ dNSName }) => dNSName ?? []);
}

async function readText(path: string): Promise<string> {
  try {
    // Without O_NONBLOCK a FIFO in place of the file would hang the program.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const entry = await file.stat();
    if (!entry.isFile() || entry.size > MAX_FILE)
      throw new Error(`it is not a regular file of at most ${MAX_FILE} bytes`);
    return await file.readFile("utf8");
  } catch (error) {
    throw faultCertificateRequest(path, errorText(error), error);
  }
}

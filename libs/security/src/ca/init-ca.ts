import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { isVisible } from "@daos/sys";
import { faultAuthorityExists } from "../faults.ts";
import { authorityFiles, type IssuedFiles, writeCertificate, writeKey } from "./authority-files.ts";
import { buildCertificate } from "./build-certificate.ts";
import { generateKeys, hashOf, type KeyType, ORGANIZATION, validity } from "./sign-certificate.ts";

export interface InitCaOptions {
  readonly directory: string;
  /** 3650 by default. */
  readonly days?: number;
  readonly keyType?: KeyType;
  readonly now?: () => Date;
}

/**
 * Makes a certificate authority: a directory with its key and its certificate.
 *
 * @throws Fault when there is one already: it is never replaced
 * @see DAOS 0.8.0 utils/certs/gen_certificates.sh
 */
export async function initCa(options: InitCaOptions): Promise<IssuedFiles> {
  const { directory, days = 3650, keyType = "ecdsa", now = () => new Date() } = options;
  const files = authorityFiles(directory);
  for (const path of [files.key, files.cert]) {
    if (await isVisible(path)) throw faultAuthorityExists(path);
  }
  await mkdir(files.home, { recursive: true, mode: 0o755 });
  await mkdir(files.certs, { recursive: true, mode: 0o755 });
  for (const path of [dirname(files.key), files.clients]) await mkdir(path, { recursive: true, mode: 0o700 });
  const keys = await generateKeys(keyType);
  const certificate = buildCertificate(
    {
      subject: { organization: ORGANIZATION, commonName: "DAOS CA" },
      publicKey: keys.publicKey,
      ...validity(now(), days),
      basicConstraints: { ca: true, pathLength: 0 },
      keyUsage: ["keyCertSign", "cRLSign"],
      keyIdentifiers: true,
      hash: hashOf(keys.privateKey),
    },
    { key: keys.privateKey },
  );
  await writeKey(files.key, keys.privateKey);
  await writeCertificate(files.cert, certificate);
  return { certificate, cert: files.cert, key: files.key };
}

import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isVisible, writeFileAtomic } from "@daos/sys";
import { faultBadName, faultFileExists } from "../faults.ts";
import type { Role } from "../role.ts";
import { checkFileName, type Owner, writeKey } from "./authority-files.ts";
import { buildRequest } from "./certificate-request.ts";
import { generateKeys, isDnsName, type KeyType, ORGANIZATION } from "./sign-certificate.ts";

export interface RequestOptions {
  readonly role: Role;
  /** @see IssueOptions.name */
  readonly name?: string | undefined;
  /** The directory of the key and of the request. */
  readonly output: string;
  /** @see IssueOptions.keyType */
  readonly keyType?: KeyType | undefined;
  /** @see IssueOptions.names */
  readonly names?: readonly string[] | undefined;
  readonly owner?: Owner | undefined;
}

/**
 * Makes a key, which stays where it is used, and a request for a certificate of it (`.csr`), to be signed on the host of the CA.
 *
 * @throws Fault when a key or a certificate of this name exists
 */
export async function requestCertificate(
  options: RequestOptions,
): Promise<{ readonly request: string; readonly key: string; readonly cert: string }> {
  const { role, name = role, names = [], owner, keyType = role === "agent" ? "rsa" : "ecdsa" } = options;
  checkFileName(name);
  for (const one of names) if (!isDnsName(one)) throw faultBadName(one);
  const base = join(resolve(options.output), name);
  const files = { request: `${base}.csr`, key: `${base}.key`, cert: `${base}.crt` };
  for (const path of [files.key, files.cert]) if (await isVisible(path)) throw faultFileExists(path);
  const keys = await generateKeys(keyType);
  const user = role === "admin" ? options.name : undefined;
  const dnsNames = role === "server" ? [...new Set(["server", ...names])] : [];
  const text = buildRequest({ organization: ORGANIZATION, user, commonName: role }, dnsNames, keys);
  await mkdir(resolve(options.output), { recursive: true, mode: 0o755 });
  // The key comes last: a request that a failure leaves without its key is replaced when it is made again.
  await writeFileAtomic(files.request, text, { mode: 0o644 });
  await writeKey(files.key, keys.privateKey, owner);
  return files;
}

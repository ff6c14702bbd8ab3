import { mkdir, readFile, rm } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { isVisible } from "@daos/sys";
import { faultBadName, faultFileExists } from "../faults.ts";
import type { Role } from "../role.ts";
import {
  authorityFiles,
  checkFileName,
  type IssuedFiles,
  loadAuthority,
  type Owner,
  writeAuthority,
  writeCertificate,
  writeKey,
} from "./authority-files.ts";
import { generateKeys, isDnsName, type KeyType, signCertificate } from "./sign-certificate.ts";

export interface IssueOptions {
  /** The authority's directory. */
  readonly directory: string;
  readonly role: Role;
  /**
   * The files' name without `.crt` and `.key`, and an agent's origin; the role by default. An administrator's is also in the
   * certificate, as its user.
   */
  readonly name?: string | undefined;
  /** Where the files go, with the authority's certificate; `certs` of the authority by default. */
  readonly output?: string | undefined;
  /** 1095 by default; never longer than the authority's own certificate. */
  readonly days?: number | undefined;
  /** `rsa` for an agent by default, because 0.8.0's agent and servers sign and check credentials with RSA only. */
  readonly keyType?: KeyType | undefined;
  /** More names of a server, beside `server`, for clients with another `server_name`. */
  readonly names?: readonly string[] | undefined;
  readonly owner?: Owner | undefined;
  readonly now?: () => Date;
}

/**
 * Issues a certificate with a new key. A server's is good as a server and as a client, so that servers can join each
 * other; it has `server` as its name, for clients of every release.
 *
 * @throws Fault when a file of this name exists, or the authority's files cannot be used
 */
export async function issueCertificate(options: IssueOptions): Promise<IssuedFiles> {
  const { directory, role, name = role, days = 1095, names = [], owner, now = () => new Date() } = options;
  const { keyType = role === "agent" ? "rsa" : "ecdsa" } = options;
  const files = authorityFiles(directory);
  checkFileName(name);
  for (const one of names) if (!isDnsName(one)) throw faultBadName(one);
  const output = resolve(options.output ?? files.certs);
  const cert = join(output, `${name}.crt`);
  const key = join(output, `${name}.key`);
  const client = role === "agent" ? join(files.clients, `${name}.crt`) : undefined;
  for (const path of [cert, key]) if (await isVisible(path)) throw faultFileExists(path);
  const authority = await loadAuthority(files, now());
  const keys = await generateKeys(keyType);
  const certificate = signCertificate(authority, {
    role,
    user: role === "admin" ? options.name : undefined,
    names,
    publicKey: keys.publicKey,
    days,
    now: now(),
  });
  await mkdir(output, { recursive: true, mode: 0o755 });
  const beside = join(output, basename(files.cert));
  if (!(await isVisible(beside))) await writeAuthority(beside, await readFile(files.cert), owner);
  try {
    await writeKey(key, keys.privateKey, owner);
    if (client !== undefined) await writeCertificate(client, certificate);
    await writeCertificate(cert, certificate, owner);
  } catch (error) {
    // A key without its certificate would be in the way when this is repeated.
    await rm(key, { force: true });
    throw error;
  }
  return { certificate, cert, key, client };
}

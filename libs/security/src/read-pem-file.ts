import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { errorText } from "@daos/fault";
import {
  type FilePurpose,
  faultDirectoryOpen,
  faultFileKind,
  faultFileMissing,
  faultFileMode,
  faultFileUnreadable,
  faultMalformed,
  faultRevocationList,
} from "./faults.ts";

/** The widest mode of a private key: no permissions for group and others. */
const MAX_KEY_MODE = 0o700;
/** The widest mode of a certificate. @see DAOS 0.8.0 src/control/security/pem.go */
const MAX_CERT_MODE = 0o664;
/** The widest mode of a directory whose certificates are trusted. */
const MAX_DIRECTORY_MODE = 0o700;

/** Maximum size of a file, bytes; no valid file is larger. */
const MAX_FILE = 1024 * 1024;

/** Every certificate of a PEM file, the first one first. @throws Fault when the file is missing, too open or no PEM */
export async function readCertificates(
  path: string,
  purpose: "certificate" | "CA certificate" = "certificate",
): Promise<readonly [X509Certificate, ...X509Certificate[]]> {
  const file = resolve(path);
  const text = await readChecked(file, purpose, MAX_CERT_MODE);
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  try {
    const [first, ...rest] = blocks.map((block) => new X509Certificate(block));
    if (first === undefined) throw new Error("there is no PEM block CERTIFICATE in it");
    return [first, ...rest];
  } catch (error) {
    throw faultMalformed(file, purpose, errorText(error), error);
  }
}

/** Every revocation list of a PEM file, in DER form; at least one. @throws Fault */
export async function readRevocationLists(path: string): Promise<readonly Uint8Array<ArrayBuffer>[]> {
  const text = await readChecked(path, "revocation list", MAX_CERT_MODE);
  const blocks = [...text.matchAll(/-----BEGIN X509 CRL-----([\s\S]*?)-----END X509 CRL-----/g)];
  if (blocks.length === 0) throw faultRevocationList(path, "there is no PEM block X509 CRL in it");
  return blocks.map(([, base64 = ""]) => new Uint8Array(Buffer.from(base64, "base64")));
}

/** The private key of a PEM file, PKCS#8 or the older forms. @throws Fault when it is missing, too open or no key */
export async function readPrivateKey(
  path: string,
): Promise<{ readonly key: KeyObject; readonly pem: string }> {
  const file = resolve(path);
  const pem = await readChecked(file, "private key", MAX_KEY_MODE);
  try {
    return { key: createPrivateKey(pem), pem };
  } catch (error) {
    const encrypted = /ENCRYPTED/.test(pem)
      ? "it is encrypted with a passphrase"
      : "it is no private key in PEM form";
    throw faultMalformed(file, "private key", encrypted, error);
  }
}

/** Checks that a directory of trusted certificates exists and only its owner can use it. @throws Fault */
export async function checkCertificateDirectory(path: string): Promise<void> {
  const purpose = "client certificate directory";
  const directory = resolve(path);
  const entry = await stat(directory).catch((error: unknown) => {
    throw faultIo(error, directory, purpose);
  });
  if (!entry.isDirectory()) throw faultFileKind(directory, purpose, "directory");
  checkMode(entry.mode, MAX_DIRECTORY_MODE, directory, purpose);
}

async function readChecked(path: string, purpose: FilePurpose, most: number): Promise<string> {
  let file: FileHandle | undefined;
  try {
    // Without O_NONBLOCK a FIFO in place of the file would hang the program.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const entry = await file.stat();
    if (!entry.isFile()) throw faultFileKind(path, purpose, "regular file");
    checkMode(entry.mode, most, path, purpose);
    await checkParent(path, purpose);
    if (entry.size > MAX_FILE) throw faultMalformed(path, purpose, `it is ${entry.size} bytes long`);
    return await file.readFile("utf8");
  } catch (error) {
    throw faultIo(error, path, purpose);
  } finally {
    await file?.close();
  }
}

/** A directory that anyone may write to, without the sticky bit, makes the mode of a file in it worthless. */
async function checkParent(path: string, purpose: FilePurpose): Promise<void> {
  const directory = dirname(path);
  const { mode } = await stat(directory);
  if ((mode & 0o002) !== 0 && (mode & 0o1000) === 0) throw faultDirectoryOpen(directory, path, purpose, mode);
}

function checkMode(mode: number, most: number, path: string, purpose: FilePurpose): void {
  if ((mode & 0o777 & ~most) !== 0) throw faultFileMode(path, purpose, mode, most);
}

function faultIo(error: unknown, path: string, purpose: FilePurpose): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT" || code === "ENOTDIR") return faultFileMissing(path, purpose);
  return typeof code === "string" ? faultFileUnreadable(path, purpose, error) : error;
}

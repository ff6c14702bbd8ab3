import { isUtf8 } from "node:buffer";
import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { errorText } from "@daos/fault";
import { checkClientConfig } from "./check-client.ts";
import { checkServerConfig, type ServerCheck } from "./check-server.ts";
import { faultConfigInvalid, faultConfigNotFound, faultConfigUnreadable } from "./faults.ts";
import type { FileKind } from "./file-kind.ts";
import { placesOfCertificates } from "./places.ts";
import type { Problem } from "./problem.ts";
import { MAX_FILE_BYTES } from "./read-yaml.ts";
import type { ClientConfig, ServerConfig, ServerOverrides } from "./types.ts";

/**
 * Reads and checks a server configuration. Relative paths, in the file and on the command line, are relative to the
 * working directory, as in release 0.8.0.
 *
 * @throws Fault configNotFound, configUnreadable, or configInvalid that lists every error with its place
 */
export async function loadServerConfig(
  path: string,
  overrides?: ServerOverrides,
  options: LoadOptions = {},
): Promise<ServerConfig> {
  const { config, problems } = await checkServerFile(path, overrides);
  if (config === undefined) throw faultConfigInvalid(path, problems);
  for (const problem of problems) if (problem.severity === "warning") options.onWarning?.(problem);
  return config;
}

export interface LoadOptions {
  /** Called with each warning about a valid configuration. */
  readonly onWarning?: ((problem: Problem) => void) | undefined;
}

/** As {@link loadServerConfig}, but returns the problems, including warnings, instead of throwing them. */
export async function checkServerFile(path: string, overrides?: ServerOverrides): Promise<ServerCheck> {
  const text = await readText(path, "server");
  const cwd = resolve();
  const certificates = placesOfCertificates("server", { env: process.env, cwd });
  const check = checkServerConfig(text, { path, overrides, cwd, certificates });
  const absolute = (config: ServerConfig | undefined) =>
    config === undefined ? undefined : { ...config, path: resolve(path) };
  return { ...check, config: absolute(check.config), draft: absolute(check.draft) };
}

/**
 * Reads and checks a client configuration.
 *
 * @throws Fault configNotFound, configUnreadable, configInvalid
 */
export async function loadClientConfig(path: string, cwd = resolve()): Promise<ClientConfig> {
  const text = await readText(path, "client");
  const certificates = placesOfCertificates("client", { env: process.env, cwd });
  const { config, problems } = checkClientConfig(text, { path, cwd, certificates });
  if (config === undefined) throw faultConfigInvalid(path, problems);
  return { ...config, path: resolve(path) };
}

/** Reads a file or a pipe up to the size limit plus one byte. The extra byte shows that the file is too long. */
async function readText(path: string, kind: FileKind): Promise<string> {
  try {
    await using file = await open(path, "r");
    const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    const bytes = buffer.subarray(0, length);
    // A file that is too long is reported as such; it may have been cut inside a character.
    if (length <= MAX_FILE_BYTES && !isUtf8(bytes)) throw new Error(`${badPlace(bytes)} is not UTF-8`);
    return bytes.toString("utf8");
  } catch (error) {
    if (isMissing(error)) throw faultConfigNotFound(path, kind, error);
    throw faultConfigUnreadable(path, errorText(error), error);
  }
}

/** `line 3, column 9`: the place of the first byte that belongs to no character. */
function badPlace(bytes: Buffer): string {
  let line = 1;
  for (let start = 0; ; line++) {
    const newline = bytes.indexOf(0x0a, start);
    const text = bytes.subarray(start, newline === -1 ? bytes.length : newline);
    if (!isUtf8(text)) return `line ${line}, column ${text.toString("utf8").indexOf("\uFFFD") + 1}`;
    start = newline + 1;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

import { existsSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import type { FileKind } from "./file-kind.ts";

/** Each kind's file and the variable that names another. */
const FILES: Readonly<Record<FileKind, { readonly name: string; readonly variable: string }>> = {
  server: { name: "daos_server.yml", variable: "DAOS_CONFIG" },
  client: { name: "daos.yml", variable: "DMG_CONFIG" },
};

/** The directory of system-wide files. */
const SYSTEM_DIRECTORY = "/etc/daos";

/** The environment of the search; tests set it. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly exists?: ((path: string) => boolean) | undefined;
}

/** A configuration file, and how it was found. */
export interface ConfigPlace {
  /** The file; when none exists, the last place that was searched. */
  readonly path: string;
  readonly from: "-o" | "DAOS_CONFIG" | "DMG_CONFIG" | "search" | "none";
}

/** The certificates and keys of one program. */
export interface CertificatePlaces {
  readonly clientCertDir: string;
  readonly caCert: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * The directories that are searched for configurations, and for certificates in `certs` below, best first:
 * `$XDG_CONFIG_HOME/daos` (`~/.config/daos` without the variable), `~/.daos`, `/etc/daos`.
 *
 * @see the XDG Base Directory Specification, which ignores relative paths
 */
export function configDirectories({
  HOME: home = "",
  XDG_CONFIG_HOME: xdg = "",
}: Surroundings["env"]): readonly string[] {
  const hasHome = isAbsolute(home);
  const base = isAbsolute(xdg) ? xdg : hasHome ? join(home, ".config") : undefined;
  return [
    ...(base === undefined ? [] : [join(base, "daos")]),
    ...(hasHome ? [join(home, ".daos")] : []),
    SYSTEM_DIRECTORY,
  ];
}

/** The directory that a user who runs a program may write: `/etc/daos` for root, `~/.daos` for others. */
export function ownDirectory({
  env: { HOME: home = "" },
  isRoot,
}: Pick<Surroundings, "env"> & { readonly isRoot: boolean }): string {
  return isRoot || !isAbsolute(home) ? SYSTEM_DIRECTORY : join(home, ".daos");
}

/** The file that `-o` gives, else the variable `DAOS_CONFIG` or `DMG_CONFIG`, else the first that exists. */
export function placeOfConfig(
  kind: FileKind,
  given: string | undefined,
  { env, exists = existsSync }: Pick<Surroundings, "env" | "exists">,
): ConfigPlace {
  if (given !== undefined) return { path: given, from: "-o" };
  const { name, variable } = FILES[kind];
  const named = env[variable] ?? "";
  if (named !== "") return { path: named, from: variable as ConfigPlace["from"] };
  const candidates = configDirectories(env).map((directory) => join(directory, name));
  const found = candidates.find(exists);
  return found === undefined
    ? { path: join(SYSTEM_DIRECTORY, name), from: "none" }
    : { path: found, from: "search" };
}

/**
 * The certificates for a configuration that names none: those in the first directory that has the authority's
 * certificate, under the names that `daos-server cert` gives them. Next `.daos` of the working directory is tried, with
 * the names of release 0.8.0. When there are none, the answer is `/etc/daos/certs`, where they belong.
 */
export function placesOfCertificates(
  kind: FileKind,
  { env, cwd, exists = existsSync }: Surroundings,
): CertificatePlaces {
  const directories = configDirectories(env).map((directory) => join(directory, "certs"));
  const found = directories.find((directory) => exists(join(directory, "daosCA.crt")));
  if (found === undefined && exists(resolve(cwd, ".daos/daosCA.crt"))) return placesOf080(kind, cwd);
  const directory = found ?? join(SYSTEM_DIRECTORY, "certs");
  const own = ownName(kind, env.USER, (name) => exists(join(directory, `${name}.crt`)));
  return {
    clientCertDir: join(directory, "clients"),
    caCert: join(directory, "daosCA.crt"),
    cert: join(directory, `${own}.crt`),
    key: join(directory, `${own}.key`),
  };
}

/** An administrator's certificate may have its user's name: `cert issue --role admin --name alice`. */
function ownName(kind: FileKind, user: string | undefined, exists: (name: string) => boolean): string {
  if (kind === "server") return "server";
  const isName = user !== undefined && /^[\w.-]+$/.test(user) && user !== "server" && user !== "daosCA";
  return isName && !exists("admin") && exists(user) ? user : "admin";
}

/** The files of release 0.8.0, below the working directory. */
export function placesOf080(kind: FileKind, cwd: string): CertificatePlaces {
  const own = kind === "server" ? "daos_server" : "client";
  return {
    clientCertDir: resolve(cwd, ".daos/clients"),
    caCert: resolve(cwd, ".daos/daosCA.crt"),
    cert: resolve(cwd, `.daos/${own}.crt`),
    key: resolve(cwd, `.daos/${own}.key`),
  };
}

import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { faultUnavailable } from "./faults.ts";

/** Where the helper is. */
export type HelperLocation =
  /** The setuid launcher: it is started for each request. */
  | { readonly kind: "program"; readonly path: string }
  /** The root service: it is connected to for each request. */
  | { readonly kind: "socket"; readonly path: string };

/** Where an installation puts the helper, in the order of preference. */
const HELPER_LOCATIONS: readonly HelperLocation[] = [
  { kind: "socket", path: "/run/daos_admin/daos_admin.sock" },
  ...["/usr", "/usr/local", "/opt/daos"].map(
    (prefix) => ({ kind: "program", path: `${prefix}/bin/daos_admin` }) as const,
  ),
];

/** Reads `unix:/run/daos_admin/daos_admin.sock`, or the path of the launcher. */
export function parseHelperLocation(text: string): HelperLocation {
  return text.startsWith("unix:")
    ? { kind: "socket", path: text.slice("unix:".length) }
    : { kind: "program", path: text };
}

export function formatHelperLocation({ kind, path }: HelperLocation): string {
  return kind === "socket" ? `unix:${path}` : path;
}

/** The first location with a helper that this process may use; undefined when there is none. */
export async function findHelper(
  locations: readonly HelperLocation[] = HELPER_LOCATIONS,
): Promise<HelperLocation | undefined> {
  for (const location of locations) {
    if ((await whyUnusable(location)) === undefined) return location;
  }
  return undefined;
}

/** @throws Fault helperUnavailable with the reason */
export async function checkHelper(location: HelperLocation): Promise<void> {
  const reason = await whyUnusable(location);
  if (reason !== undefined) throw faultUnavailable(reason);
}

const SETUID = 0o4000;

async function whyUnusable({ kind, path }: HelperLocation): Promise<string | undefined> {
  try {
    const status = await stat(path);
    if (kind === "socket") {
      if (!status.isSocket()) return `${path} is not a socket`;
      await access(path, constants.W_OK);
      return undefined;
    }
    if (!status.isFile()) return `${path} is not a file`;
    await access(path, constants.X_OK);
    const isSetuidRoot = status.uid === 0 && (status.mode & SETUID) !== 0;
    return isSetuidRoot ? undefined : `${path} is not setuid root`;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    switch (code) {
      case "ENOENT":
        return `there is no ${path}`;
      case "EACCES":
        return `this user may not use ${path}`;
      default:
        return `${path}: ${String(error)}`;
    }
  }
}

import type { FlagDefinition, FlagDefinitions } from "@daos/cli";
import { ownDirectory } from "@daos/config/places";
import type { Role } from "@daos/security/ca";

/** The flag for the directory of the certificate authority. */
export const DIRECTORY_FLAG = {
  type: "string",
  value: "DIR",
  summary: "directory of the certificate authority (default /etc/daos for root, ~/.daos for others)",
  complete: "files",
} as const satisfies FlagDefinition;

/**
 * The directory of the authority. By default it is the directory in whose `certs` the programs look for certificates. Another
 * command for the same authority needs `flag`.
 */
export function authorityDirectory(given: string | undefined): {
  readonly directory: string;
  readonly flag: string;
} {
  if (given !== undefined) return { directory: given, flag: ` --directory ${given}` };
  return { directory: ownDirectory({ env: process.env, isRoot: process.geteuid?.() === 0 }), flag: "" };
}

/** The type of a new key. */
export const KEY_TYPE_FLAG = {
  type: "string",
  value: "TYPE",
  options: ["ecdsa", "rsa"],
  summary: "ecdsa (P-256), or rsa (4096 bits) for programs of release 0.8.0",
} as const satisfies FlagDefinition;

const DAYS = { type: "integer", value: "N", min: 1, max: 36_500 } as const;

/** How long a certificate is valid. */
export const DAYS_FLAGS = {
  authority: { ...DAYS, default: 3650, summary: "validity in days" },
  issued: { ...DAYS, default: 1095, summary: "validity in days" },
  renewed: { ...DAYS, default: 1095, summary: "validity in days from now on" },
} as const satisfies FlagDefinitions;

/** The role of a certificate. */
export const ROLE_FLAG = {
  type: "string",
  value: "ROLE",
  required: true,
  options: ["server", "admin", "agent"] satisfies readonly Role[],
  summary: "role of its owner",
} as const satisfies FlagDefinition;

/** Additional names of a server. */
export const HOST_FLAG = {
  type: "string",
  value: "NAME",
  joins: ",",
  summary: "another name of a server, for clients with another server_name; may be repeated",
} as const satisfies FlagDefinition;

/** The owner of the new files. */
export const OWNER_FLAG = {
  type: "string",
  value: "USER[:GROUP]",
  summary: "who owns the files (as root only)",
} as const satisfies FlagDefinition;

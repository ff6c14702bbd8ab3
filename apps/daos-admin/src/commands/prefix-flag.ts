import type { FlagDefinition } from "@daos/cli";

/** The prefix of the installation. */
export const PREFIX_FLAG = {
  type: "string",
  value: "DIR",
  default: "/usr/local",
  summary: "where the helper is installed",
} as const satisfies FlagDefinition;

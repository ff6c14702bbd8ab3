import type { FlagDefinition } from "@daos/cli";

/** Where the helper is installed. */
export const PREFIX_FLAG = {
  type: "string",
  value: "DIR",
  default: "/usr/local",
  summary: "where the helper is installed",
} as const satisfies FlagDefinition;

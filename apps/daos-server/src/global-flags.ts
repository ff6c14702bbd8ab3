import type { FlagDefinitions, FlagValues } from "@daos/cli";

/** Where release 0.8.0 looks for its configuration, relative to the install prefix. */
export const DEFAULT_CONFIG = "etc/daos_server.yml";

/** Flags of every command; they may also stand before it. The letters are those of release 0.8.0. */
export const GLOBAL_FLAGS = {
  config: {
    type: "string",
    char: "o",
    value: "FILE",
    default: DEFAULT_CONFIG,
    summary: "server configuration",
    complete: "files",
  },
  debug: { type: "boolean", char: "b", summary: "log at level DEBUG" },
  json: { type: "boolean", char: "j", summary: "print the result, and log, as JSON" },
  "allow-proxy": {
    type: "boolean",
    summary: "accepted for scripts of release 0.8.0; connections never use a proxy",
  },
  help: { type: "boolean", char: "h", summary: "show help" },
} as const satisfies FlagDefinitions;

export type GlobalValues = FlagValues<typeof GLOBAL_FLAGS>;

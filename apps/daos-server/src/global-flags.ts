import type { FlagDefinitions, FlagValues } from "@daos/cli";
import type { ConfigPlace } from "@daos/config/places";

/** Flags of every command. They may also precede the command. The short forms are those of release 0.8.0. */
export const GLOBAL_FLAGS = {
  config: {
    type: "string",
    char: "o",
    value: "FILE",
    summary: "server configuration (default daos_server.yml in ~/.config/daos, ~/.daos or /etc/daos)",
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

export type GlobalValues = Omit<FlagValues<typeof GLOBAL_FLAGS>, "config"> & {
  /** The configuration that `-o` names, or the one that was found. */
  readonly config: string;
  readonly configFrom: ConfigPlace["from"];
};

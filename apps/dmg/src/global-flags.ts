import type { FlagDefinition, FlagDefinitions, FlagValues } from "@daos/cli";

/** Flags of every command. They may also precede the command. The short forms are those of release 0.8.0. */
export const GLOBAL_FLAGS = {
  "host-list": {
    type: "string",
    char: "l",
    value: "HOSTS",
    summary: "hosts to ask, as in node[1-8]:10001",
    excludes: "host-file",
    joins: ",",
    complete: "hosts",
  },
  "host-file": {
    type: "string",
    char: "f",
    value: "FILE",
    summary: "file with one host list a line, # for comments",
    complete: "files",
  },
  "config-path": {
    type: "string",
    char: "o",
    value: "FILE",
    summary: "client configuration file (default daos.yml in ~/.config/daos, ~/.daos or /etc/daos)",
    complete: "files",
  },
  insecure: { type: "boolean", char: "i", summary: "connect without certificates" },
  json: { type: "boolean", char: "j", summary: "print the result as JSON" },
  format: {
    type: "string",
    value: "FORMAT",
    default: "table",
    summary: "table, json, or a format that a plugin adds",
    excludes: "json",
  },
  quiet: { type: "boolean", char: "q", summary: "print data and failures only" },
  debug: { type: "boolean", char: "d", summary: "log each step on stderr" },
  timeout: { type: "string", value: "TIME", summary: "longest wait for one host, as in 30s, 5m, 2h" },
  fanout: {
    type: "integer",
    value: "N",
    min: 1,
    max: 4096,
    summary: "most hosts asked at the same time (default 128)",
  },
  "allow-proxy": {
    type: "boolean",
    hidden: true,
    summary: "accepted for scripts of release 0.8.0; connections never use a proxy",
  },
  help: { type: "boolean", char: "h", summary: "show help" },
} as const satisfies FlagDefinitions;

export type GlobalValues = FlagValues<typeof GLOBAL_FLAGS>;

/** For commands whose answer changes over time. {@link ./run-command.ts} repeats them. */
export const WATCH_FLAG = {
  type: "integer",
  value: "SECONDS",
  min: 1,
  max: 3600,
  summary: "repeat at this interval in seconds, until Ctrl-C",
} as const satisfies FlagDefinition;

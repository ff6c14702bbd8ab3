import { Command, Flags } from "@oclif/core";

/** Where release 0.8.0 looks for its configuration, relative to the install prefix. */
export const DEFAULT_CONFIG = "etc/daos_server.yml";

/** What every command of daos-server has in common: the global options. `main.ts` tells failures. */
export abstract class ServerCommand extends Command {
  static override readonly baseFlags = {
    config: Flags.string({
      char: "o",
      summary: "Server configuration",
      default: DEFAULT_CONFIG,
      helpValue: "FILE",
      helpGroup: "GLOBAL",
    }),
    debug: Flags.boolean({ char: "b", summary: "Log at level DEBUG", helpGroup: "GLOBAL" }),
    json: Flags.boolean({ char: "j", summary: "Log (and print results) as JSON", helpGroup: "GLOBAL" }),
    "allow-proxy": Flags.boolean({
      summary: "Accepted for DAOS 0.8.0; proxies are never used",
      helpGroup: "GLOBAL",
    }),
  };
}

import { Command } from "@oclif/core";

/** `daos-server version`. */
export class VersionCommand extends Command {
  static override readonly summary = "Print the version of daos-server";

  async run(): Promise<void> {
    this.log(`daos-server ${this.config.version} (control plane of DAOS 0.8.0)`);
  }
}

import { explainKey, formatExplanation, listKeys } from "@daos/config";
import { Args, Flags } from "@oclif/core";
import { ServerCommand } from "../../server-command.ts";

/** `daos-server config explain`. */
export class ConfigExplain extends ServerCommand {
  static override readonly summary = "Explain a key of the configuration, or all of them";

  static override readonly args = {
    key: Args.string({ description: "As in scm_class or servers[].scm_class; without it, all keys" }),
  };

  static override readonly flags = {
    client: Flags.boolean({ summary: "Keys of the clients' file, daos.yml" }),
  };

  static override readonly examples = [
    "<%= config.bin %> config explain bdev_class",
    "<%= config.bin %> config explain engines",
  ];

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ConfigExplain);
    const kind = flags.client ? "client" : "server";
    const explanations = args.key === undefined ? listKeys(kind) : explainKey(args.key, kind);
    this.log(
      flags.json ? JSON.stringify(explanations, null, 2) : explanations.map(formatExplanation).join("\n\n"),
    );
  }
}

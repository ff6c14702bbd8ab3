import { configJsonSchema } from "@daos/config";
import { Flags } from "@oclif/core";
import { ServerCommand } from "../../server-command.ts";

/** `daos-server config schema`. */
export class ConfigSchema extends ServerCommand {
  static override readonly summary = "Print the JSON Schema of the configuration, for editors";
  static override readonly description =
    "An editor with a YAML language server uses it when the file begins with: # yaml-language-server: $schema=PATH";

  static override readonly flags = {
    client: Flags.boolean({ summary: "The schema of the clients' file, daos.yml" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigSchema);
    this.log(JSON.stringify(configJsonSchema(flags.client ? "client" : "server"), null, 2));
  }
}

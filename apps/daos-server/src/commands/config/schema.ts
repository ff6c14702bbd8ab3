import { defineCommand } from "../../define-command.ts";

/** `daos-server config schema`. */
export const configSchemaCommand = defineCommand({
  name: "config schema",
  summary: "Print the JSON Schema of the configuration, for editors",
  description:
    "An editor with a YAML language server uses it when the file begins with: # yaml-language-server: $schema=PATH",
  examples: [{ text: "For an editor", line: "config schema > daos_server.schema.json" }],
  flags: { client: { type: "boolean", summary: "the schema of the clients' file, daos.yml" } },
  run: async ({ flags }) => {
    const { configJsonSchema } = await import("@daos/config");
    const schema = configJsonSchema(flags.client ? "client" : "server");
    return { result: schema, lines: [JSON.stringify(schema, null, 2)] };
  },
});

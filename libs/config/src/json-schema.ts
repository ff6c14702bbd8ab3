import * as z from "zod";
import { clientSchema } from "./client-schema.ts";
import type { FileKind } from "./file-kind.ts";
import { serverSchema } from "./server-schema.ts";

const TITLES: Readonly<Record<FileKind, string>> = {
  server: "DAOS server configuration (daos_server.yml)",
  client: "DAOS client configuration (daos.yml)",
};

/** The JSON Schema (draft 7) of a configuration file, for editors. It comes from the schema that the check uses. */
export function configJsonSchema(kind: FileKind = "server"): Readonly<Record<string, unknown>> {
  const schema = z.toJSONSchema(kind === "server" ? serverSchema : clientSchema, { target: "draft-7" });
  return {
    $schema: schema.$schema,
    title: TITLES[kind],
    type: schema.type,
    properties: schema.properties,
    patternProperties: { "^x-": { description: "Anything, for instance anchors; ignored." } },
    additionalProperties: false,
  };
}

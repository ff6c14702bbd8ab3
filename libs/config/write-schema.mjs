// npm run schema -w @daos/config: writes the JSON Schemas that editors read; a test compares them with the code.
import { writeFileSync } from "node:fs";
import { configJsonSchema } from "./dist/index.js";

/** @type {Record<string, import("./dist/index.js").FileKind>} */
const SCHEMAS = { "daos_server.schema.json": "server", "daos.schema.json": "client" };

for (const [name, kind] of Object.entries(SCHEMAS)) {
  const text = `${JSON.stringify(configJsonSchema(kind), null, 2)}\n`;
  writeFileSync(new URL(`../../docs/${name}`, import.meta.url), text);
}

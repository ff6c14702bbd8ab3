// npm run schema -w @daos/config: writes the JSON Schemas that editors read; a test compares them with the code.
import { writeFileSync } from "node:fs";
import { configJsonSchema } from "./dist/index.js";

for (const [kind, name] of [
  ["server", "daos_server.schema.json"],
  ["client", "daos.schema.json"],
]) {
  const text = `${JSON.stringify(configJsonSchema(kind), null, 2)}\n`;
  writeFileSync(new URL(`../../docs/${name}`, import.meta.url), text);
}

// Bundles daos-server into dist/bundle with its compiled code, and the native parts into dist/build: bin/daos-server runs that.
import { cpSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  bundleProgram,
  FILL_FROM_BASE64,
  IMPORT_META_URL,
  LIGHT_HEADERS,
} from "../../../tools/workspace/bundle-program.mjs";
import { addCodeCaches, PROGRAM } from "../../../tools/workspace/code-cache.mjs";
import { continueOnFoundNode } from "../../../tools/workspace/find-node.mjs";

// The bundle names Node's own modules. They must be those of the Node.js that runs it.
continueOnFoundNode();

const app = fileURLToPath(new URL("..", import.meta.url));
const bundle = `${app}dist/bundle`;

rmSync(bundle, { recursive: true, force: true });
await bundleProgram(`${app}src/main.ts`, bundle, {
  ...IMPORT_META_URL,
  entryPoints: { program: `${app}src/main.ts` },
  banner: { js: `${PROGRAM.open}${IMPORT_META_URL.banner.js}` },
  footer: { js: PROGRAM.close },
  define: { ...IMPORT_META_URL.define, ...FILL_FROM_BASE64.define },
  inject: [LIGHT_HEADERS, ...FILL_FROM_BASE64.inject],
});
// The libraries find the native parts beside the directory of the module. New files: a running server executes the old ones.
rmSync(`${app}dist/build`, { recursive: true, force: true });
for (const library of ["drpc", "systemd"])
  cpSync(`${app}../../libs/${library}/build`, `${app}dist/build`, { recursive: true });
await addCodeCaches(bundle, [process.execPath]);

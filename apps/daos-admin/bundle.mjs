// Bundles the two programs into files without dependencies: the command line, and the privileged process, which
// `daos-admin install` copies.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { bundleProgram, IMPORT_META_URL, NATIVE_SYNTAX } from "../../tools/workspace/bundle-program.mjs";
import { continueOnFoundNode } from "../../tools/workspace/find-node.mjs";

// The bundle names Node's own modules. They must be those of the Node.js that runs it.
continueOnFoundNode();

const app = fileURLToPath(new URL(".", import.meta.url));

await bundleProgram(`${app}src/main.ts`, `${app}dist/bundle`, IMPORT_META_URL);
await build({
  entryPoints: [`${app}src/helper.ts`],
  outfile: `${app}dist/helper.mjs`,
  bundle: true,
  conditions: ["@daos/source"],
  platform: "node",
  format: "esm",
  ...NATIVE_SYNTAX,
  logLevel: "warning",
  // yaml is CommonJS, and requires modules of Node.js.
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
});

// Bundles the privileged process into one file without dependencies. `daos-admin install` copies that file.
import { build } from "esbuild";

await build({
  entryPoints: ["src/helper.ts"],
  outfile: "dist/helper.mjs",
  bundle: true,
  conditions: ["@daos/source"],
  platform: "node",
  format: "esm",
  target: "node24",
  logLevel: "warning",
  // yaml is CommonJS, and requires modules of Node.js.
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
});

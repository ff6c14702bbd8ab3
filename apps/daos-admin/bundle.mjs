// Puts the privileged process into one file without dependencies, which is what `daos-admin install` copies.
import { build } from "esbuild";

await build({
  entryPoints: ["dist/helper.js"],
  outfile: "dist/helper.mjs",
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node24",
  logLevel: "warning",
  // yaml is CommonJS and requires modules of Node.
  banner: {
    js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
  },
});

import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { NATIVE_SYNTAX } from "../../bundle-program.mjs";
import { root } from "../../prepare.mjs";

/**
 * Installs the emulated engine as the data plane's `daos_io_server` below `directory`; It runs on the server's Node.js.
 *
 * @param {string} directory
 */
export async function installEmulator(directory) {
  const home = join(directory, "opt/emulator");
  mkdirSync(home, { recursive: true });
  await build({
    entryPoints: [join(root, "tools/engine-emulator/src/main.ts")],
    outfile: join(home, "main.mjs"),
    bundle: true,
    conditions: ["@daos/source"],
    platform: "node",
    format: "esm",
    ...NATIVE_SYNTAX,
    logLevel: "warning",
    banner: {
      js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
    },
  });
  // libs/drpc searches beside the directory of its module.
  cpSync(join(root, "libs/drpc/build"), join(directory, "opt/build"), { recursive: true });
  const script = '#!/bin/sh\nexec /usr/libexec/daos-admin/node /opt/emulator/main.mjs "$@"\n';
  writeFileSync(join(directory, "usr/bin/daos_io_server"), script, { mode: 0o755 });
}

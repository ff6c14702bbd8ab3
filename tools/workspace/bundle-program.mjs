// Bundles a program into one CommonJS file. Start-up snapshots and packages are built from it.
import { builtinModules } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/**
 * Node's own modules are loaded at the first use of an export. An `import` of node:http would load undici and more, and
 * connect-node needs node:http and node:https for HTTP/1.1 only.
 *
 * @type {import("esbuild").Plugin}
 */
const lazyBuiltins = {
  name: "lazy-builtins",
  setup(build) {
    const names = new Set(builtinModules);
    build.onResolve({ filter: /^(?:node:)?[a-z_0-9/]+$/ }, ({ path }) => {
      const name = path.replace(/^node:/, "");
      return path.startsWith("node:") || names.has(name) ? { path: name, namespace: "builtin" } : undefined;
    });
    build.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => {
      const id = JSON.stringify(`node:${path}`);
      const module = process.getBuiltinModule(`node:${path}`);
      if (module === undefined) return { errors: [{ text: `Node.js has no module node:${path}` }] };
      if (typeof module === "function")
        return { contents: `module.exports = process.getBuiltinModule(${id});` };
      const getters = Object.keys(module).map((key) => {
        const name = JSON.stringify(key);
        return `get ${name}() { return load()[${name}]; }`;
      });
      const load = `let loaded; const load = () => (loaded ??= process.getBuiltinModule(${id}));`;
      return { contents: `${load}\nmodule.exports = {${getters.join(", ")}};` };
    });
  },
};

/**
 * The features of the Node.js that runs the bundles. Without `using` here, esbuild 0.28 lowers it, with a bug in loops: every
 * later iteration throws the error of an earlier one again (findings/esbuild-using-in-a-loop.sh).
 */
export const NATIVE_SYNTAX = { target: "node24", supported: { using: true } };

/** For a program that uses import.meta.url to find files beside its modules, such as native addons. */
export const IMPORT_META_URL = {
  banner: { js: 'const bundleUrl = process.getBuiltinModule("url").pathToFileURL(__filename).href;' },
  define: { "import.meta.url": "bundleUrl" },
};

/** For `inject`: what speaks gRPC does without the global Headers, and so without undici. */
export const LIGHT_HEADERS = fileURLToPath(new URL("../../libs/rpc/src/light-headers.ts", import.meta.url));

/**
 * Bundles `entry` and its dependencies into `outdir`/main.cjs, from the sources of the workspace. It must run on the
 * Node.js that runs the result: the bundle names the exports of Node's own modules.
 *
 * @param {string} entry the program's main module
 * @param {string} outdir
 * @param {import("esbuild").BuildOptions} [options] of this program only
 */
export async function bundleProgram(entry, outdir, { plugins = [], ...options } = {}) {
  return build({
    entryPoints: { main: entry },
    outdir,
    outExtension: { ".js": ".cjs" },
    bundle: true,
    format: "cjs",
    platform: "node",
    ...NATIVE_SYNTAX,
    minify: true,
    legalComments: "none",
    conditions: ["@daos/source"],
    mainFields: ["module", "main"],
    logLevel: "warning",
    plugins: [lazyBuiltins, ...plugins],
    ...options,
  });
}

// Bundles a program into one CommonJS file. Start-up snapshots and packages are built from it.

import { readFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { fileURLToPath } from "node:url";
import { build, transformSync } from "esbuild";
import ts from "typescript";

const builtins = new Set(builtinModules);

/** Functions, classes and the process cannot be stood in for. */
const DIRECT = ["assert", "assert/strict", "events", "module", "process", "stream"].map(
  (name) => `node:${name}`,
);

/**
 * Makes Node's own modules external, so that all modules of a bundle share one object for each of them: without this, esbuild
 * gives each importing module a copy with a function for each export, 2 MiB in daos-server.
 *
 * @type {import("esbuild").Plugin}
 */
const externalBuiltins = {
  name: "external-builtins",
  setup(build) {
    build.onResolve({ filter: /^(?:node:)?[a-z_0-9/]+$/ }, ({ path, kind }) => {
      const name = path.replace(/^node:/, "");
      if (!path.startsWith("node:") && !builtins.has(name)) return undefined;
      // A program that runs from a snapshot or from compiled code has no import().
      if (kind === "dynamic-import") return { path: name, namespace: "imported-builtin" };
      return { path: `node:${name}`, external: true };
    });
    build.onLoad({ filter: /.*/, namespace: "imported-builtin" }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(`node:${path}`)});`,
    }));
  },
};

/**
 * The `require` of a bundle, in whose source it is: loads Node's own modules at the first use of an export. An `import` of
 * node:http would load undici and more, and connect-node needs node:http and node:https for HTTP/1.1 only. The exports of a
 * module that has not been used cannot be listed.
 *
 * @param {NodeJS.Require} load
 * @param {readonly string[]} direct the modules that are loaded at once
 */
function lazyRequire(load, direct) {
  /** @type {Map<string, object>} */
  const modules = new Map();
  /** @param {string} id */
  return (id) => {
    if (!id.startsWith("node:")) return load(id);
    if (direct.includes(id)) return process.getBuiltinModule(id);
    const known = modules.get(id);
    if (known !== undefined) return known;
    const module = Object.create(new Proxy({}, { get: (_, name, user) => firstUse(id, name, user) }));
    modules.set(id, module);
    return module;
  };
  /**
   * Later uses by `user`, the object of the module or esbuild's copy of it, find the exports without the proxy.
   *
   * @param {string} id
   * @param {string | symbol} name
   * @param {object} user
   */
  function firstUse(id, name, user) {
    // A bundle asks for it before it uses any export.
    if (name === "__esModule") return undefined;
    const module = process.getBuiltinModule(id);
    if (module === undefined) throw new Error(`Node.js has no module ${id}`);
    Object.setPrototypeOf(user, module);
    return Reflect.get(user, name);
  }
}

/**
 * The features of the Node.js that runs the bundles. Without `using` here, esbuild 0.28 lowers it, with a bug in loops: every
 * later iteration throws the error of an earlier one again (findings/esbuild-using-in-a-loop.sh).
 */
export const NATIVE_SYNTAX = { target: "node24", supported: { using: true } };

const LAZY_REQUIRE = transformSync(`require = (${lazyRequire})(require, ${JSON.stringify(DIRECT)});`, {
  minify: true,
}).code;

/**
 * Lowers `using` in the sources of the workspace with TypeScript, which does not have the bug of {@link NATIVE_SYNTAX}.
 *
 * @type {import("esbuild").Plugin}
 */
export const LOWER_USING = {
  name: "lower-using",
  setup(build) {
    build.onLoad({ filter: /\.ts$/ }, async ({ path: fileName }) => {
      const source = await readFile(fileName, "utf8");
      if (!/\busing \w+ = /.test(source)) return undefined;
      const compilerOptions = {
        target: ts.ScriptTarget.ES2024,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
      };
      return { contents: ts.transpileModule(source, { fileName, compilerOptions }).outputText, loader: "js" };
    });
  },
};

/** For a program that uses import.meta.url to find files beside its modules, such as native addons. */
export const IMPORT_META_URL = {
  banner: { js: 'const bundleUrl = process.getBuiltinModule("url").pathToFileURL(__filename).href;' },
  define: { "import.meta.url": "bundleUrl" },
};

/** For `inject`: what speaks gRPC does without the global Headers, and so without undici. */
export const LIGHT_HEADERS = fileURLToPath(new URL("../../libs/rpc/src/light-headers.ts", import.meta.url));

/** Options for a program that decodes protobuf descriptors when it starts, and not in a snapshot. */
export const FILL_FROM_BASE64 = {
  inject: [fileURLToPath(new URL("../../libs/proto/src/fill-from-base64.ts", import.meta.url))],
  define: { "Uint8Array.prototype.setFromBase64": "fillFromBase64" },
};

/**
 * Bundles `entry` and its dependencies into `outdir`/main.cjs, from the sources of the workspace. It must run on the
 * Node.js that runs the result: the bundle names Node's own modules.
 *
 * @param {string} entry the program's main module
 * @param {string} outdir
 * @param {import("esbuild").BuildOptions} [options] of this program only
 */
export async function bundleProgram(entry, outdir, { banner, plugins = [], ...options } = {}) {
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
    plugins: [externalBuiltins, ...plugins],
    ...options,
    banner: { js: `${banner?.js ?? ""}${LAZY_REQUIRE}` },
  });
}

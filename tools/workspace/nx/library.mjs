// `nx g @daos/workspace:library NAME --layer=LAYER --owns="..."`: creates a library with the same files as the existing ones.
import syncReferences from "./sync-references.mjs";

/** @import { Tree } from "nx/src/devkit-exports.js" */

/**
 * @param {Tree} tree the workspace's files, as Nx generators see them
 * @param {{ name: string, layer: string, owns: string }} options as in library.schema.json
 */
export default function library(tree, { name, layer, owns }) {
  const root = `libs/${name}`;
  if (tree.exists(root)) throw new Error(`${root} is there already: choose another name`);
  const files = {
    "package.json": {
      name: `@daos/${name}`,
      version: "0.1.0",
      license: "Apache-2.0",
      private: true,
      type: "module",
      exports: {
        ".": {
          "@daos/source": "./src/index.ts",
          types: "./dist/index.d.ts",
          default: "./dist/index.js",
        },
      },
      files: ["dist"],
      dependencies: {},
      nx: { tags: [`layer:${layer}`] },
    },
    "tsconfig.lib.json": {
      extends: "../../tsconfig.base.json",
      compilerOptions: { rootDir: "src", outDir: "dist", tsBuildInfoFile: "dist/.tsbuildinfo" },
      include: ["src"],
      exclude: ["src/**/*.test.ts"],
    },
    "tsconfig.json": {
      extends: "../../tsconfig.base.json",
      compilerOptions: {
        noEmit: true,
        rewriteRelativeImportExtensions: false,
        allowImportingTsExtensions: true,
        tsBuildInfoFile: "dist/.tests.tsbuildinfo",
      },
      include: ["src/**/*.test.ts"],
    },
  };
  for (const [file, content] of Object.entries(files)) {
    tree.write(`${root}/${file}`, `${JSON.stringify(content, null, 2)}\n`);
  }
  tree.write(`${root}/README.md`, `# ${name}\n\n${owns}\n`);
  tree.write(`${root}/src/index.ts`, "export {};\n");
  syncReferences(tree);
  return () => process.stdout.write("Run `npm install` once, so that others can import it.\n");
}

// `nx sync` writes the TypeScript project references from the dependencies of each package.json; `nx sync:check`, a part of
// `npm test`, fails when they differ. tsconfig.lib.json has the built files, tsconfig.json the tests, which emit nothing.
const FOLDERS = ["apps", "libs", "tools"];

/** The scripts (.mjs) of all projects are checked by one tsconfig.json. They may import any library. */
const SCRIPTS = "tools/workspace";

/** @import { Tree } from "nx/src/devkit-exports.js" */
/** @typedef {Record<string, string>} Dependencies version ranges by package */
/** @typedef {{ name: string, dependencies?: Dependencies, devDependencies?: Dependencies, references?: unknown }} Manifest of a package or of TypeScript */

/** @param {Tree} tree the workspace's files, as Nx generators see them */
export default function syncReferences(tree) {
  const projects = FOLDERS.flatMap((folder) =>
    tree
      .children(folder)
      .map((name) => `${folder}/${name}`)
      .filter((root) => tree.exists(`${root}/tsconfig.lib.json`)),
  ).sort();
  const byName = new Map(projects.map((root) => [read(tree, `${root}/package.json`).name, root]));
  for (const root of projects) {
    const { dependencies, devDependencies } = read(tree, `${root}/package.json`);
    /** @param {(Dependencies | undefined)[]} lists */
    const of = (...lists) =>
      lists
        .flatMap((list) => Object.keys(list ?? {}))
        .filter((name) => byName.has(name))
        .sort()
        .map((name) => ({ path: `../../${byName.get(name)}/tsconfig.lib.json` }));
    update(tree, `${root}/tsconfig.lib.json`, of(dependencies));
    update(tree, `${root}/tsconfig.json`, [
      { path: "./tsconfig.lib.json" },
      ...of(dependencies, devDependencies),
    ]);
  }
  update(
    tree,
    `${SCRIPTS}/tsconfig.json`,
    projects.map((root) => ({ path: `../../${root}/tsconfig.lib.json` })),
  );
  update(
    tree,
    "tsconfig.json",
    [...projects, SCRIPTS].map((root) => ({ path: `${root}/tsconfig.json` })),
  );
  return {
    outOfSyncMessage: "The project references of TypeScript are not what the package.json files say.",
  };
}

/**
 * @param {Tree} tree
 * @param {string} path
 * @returns {Manifest}
 */
function read(tree, path) {
  const text = tree.read(path, "utf8");
  if (text === null) throw new Error(`${path} is missing`);
  return JSON.parse(text);
}

/**
 * Writes a file only when its references differ, because Nx treats every written file as out of sync.
 *
 * @param {Tree} tree
 * @param {string} path
 * @param {{ path: string }[]} references
 */
function update(tree, path, references) {
  const before = read(tree, path);
  const same = JSON.stringify(before.references ?? []) === JSON.stringify(references);
  if (same) return;
  const { references: _, ...rest } = before;
  const after = references.length === 0 ? rest : { ...rest, references };
  tree.write(path, `${JSON.stringify(after, null, 2)}\n`);
}

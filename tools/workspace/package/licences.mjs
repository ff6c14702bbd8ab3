import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

/** The main modules of each program, and of the page of `dmg web`. */
const ENTRIES = {
  "daos-server": ["apps/daos-server/src/main.ts"],
  "daos-admin": ["apps/daos-admin/src/main.ts", "apps/daos-admin/src/helper.ts"],
  dmg: ["apps/dmg/src/main.ts", "apps/web/src/main.tsx"],
};

/**
 * The parts of a package: the third-party packages in its bundles, and Node.js. It needs no network.
 *
 * @param {string} root of the workspace
 * @param {readonly Program[]} programs
 * @param {string} nodeHome the directory of the npm package with Node.js
 * @returns {Promise<readonly Part[]>} by name
 *
 * @typedef {keyof typeof ENTRIES} Program
 * @typedef {{ name: string, version: string, licence: string, text: string, purl: string }} Part a third-party package
 */
export async function partsOf(root, programs, nodeHome) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: programs.flatMap((program) => ENTRIES[program]),
    outdir: "dist/packages",
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "node",
    conditions: ["@daos/source"],
    mainFields: ["module", "main"],
    external: ["@oclif/core"],
    loader: { ".svg": "empty" },
    logLevel: "error",
  });
  /** @type {Set<string>} */
  const directories = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const [, directory] = /^(.*\bnode_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input) ?? [];
    if (directory !== undefined) directories.add(directory);
  }
  const parts = [...directories].map((directory) => readPart(join(root, directory)));
  const { version } = JSON.parse(readFileSync(join(nodeHome, "package.json"), "utf8"));
  const text = "Its licence, and those of the libraries in it, are in LICENSE.node.\n";
  const node = { name: "node", version, licence: "MIT", text, purl: `pkg:generic/node@${version}` };
  // Several workspaces may have a copy of the same package.
  const unique = new Map([node, ...parts].map((part) => [part.purl, part]));
  return [...unique.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1));
}

/**
 * @param {string} directory of an installed npm package
 * @returns {Part}
 */
function readPart(directory) {
  const { name, version, license } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  const file = readdirSync(directory).find((entry) => /^licen[cs]e/i.test(entry));
  const text =
    file === undefined
      ? "It comes without a text; the SPDX list at https://spdx.org/licenses has it."
      : readFileSync(join(directory, file), "utf8");
  return { name, version, licence: license, text, purl: `pkg:npm/${name.replace("@", "%40")}@${version}` };
}

/**
 * The bill of materials of a package, in CycloneDX 1.5.
 *
 * @param {string} name
 * @param {string} version
 * @param {readonly Part[]} parts
 */
export function billOfMaterials(name, version, parts) {
  const component = { type: "application", "bom-ref": name, name, version, licenses: licences("Apache-2.0") };
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: { component },
    components: parts.map(({ purl, licence, ...part }) => ({
      type: part.name === "node" ? "platform" : "library",
      "bom-ref": purl,
      name: part.name,
      version: part.version,
      purl,
      licenses: licences(licence),
    })),
    dependencies: [{ ref: name, dependsOn: parts.map(({ purl }) => purl) }],
  };
}

/** @param {string} expression an SPDX licence identifier, or an expression of several */
function licences(expression) {
  return /^[\w.-]+$/.test(expression) ? [{ license: { id: expression } }] : [{ expression }];
}

/**
 * The licence of each part with its text. Most licences require that the text is distributed.
 *
 * @param {readonly Part[]} parts
 */
export function licenceList(parts) {
  return parts
    .map(({ name, version, licence, text }) => `${name} ${version}: ${licence}\n\n${indent(text)}`)
    .join(`\n${"-".repeat(72)}\n`);
}

/** @param {string} text */
function indent(text) {
  return `${text
    .trim()
    .replaceAll("\r\n", "\n")
    .replace(/^(?=.)/gm, "    ")}\n`;
}

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { defineCommand, faultUsage, formatTable, type Topic, wellDone } from "@daos/dmg-kit";
import { Fault, FaultCode } from "@daos/fault";
import {
  pluginDirectory,
  readDependencies,
  readPlugins,
  type UserPlugin,
  writePlugins,
} from "./plugin-store.ts";

const list = defineCommand({
  name: "plugins list",
  summary: "List the plugins that you have added",
  examples: [{ text: "All of them", line: "plugins list" }],
  flags: {},
  run: async () => {
    const plugins = await readPlugins(pluginDirectory());
    const rows = plugins.map(({ name, type, root = "" }) => [
      name,
      type === "link" ? "linked" : "installed",
      root,
    ]);
    return wellDone(
      { plugins: plugins.map(({ name, type, root = null }) => ({ name, type, root })) },
      (width) =>
        rows.length === 0
          ? "No plugins"
          : formatTable({ columns: ["Plugin", "How", "Directory"], rows }, width),
    );
  },
});

const link = defineCommand({
  name: "plugins link",
  summary: "Add the oclif plugin in a directory",
  description: "Its commands come from there each time, so that it can be worked on.",
  examples: [{ text: "A plugin of your own", line: "plugins link ./my-plugin" }],
  flags: {},
  args: "DIRECTORY",
  run: async ({ args }) => {
    const root = resolve(one(args, "a directory"));
    const name = await pluginName(root);
    await add({ type: "link", name, root });
    return wellDone({ name, root }, () => `${name} is linked`);
  },
});

const install = defineCommand({
  name: "plugins install",
  summary: "Install an oclif plugin from an npm registry, a tarball or a directory",
  description:
    "A directory is copied; plugins link uses it where it is. Scripts of the package do not run. What a plugin names as peer dependencies of @daos it gets from dmg itself.",
  examples: [
    { text: "A plugin by its package name", line: "plugins install dmg-plugin-burnin" },
    { text: "One that npm pack has packed", line: "plugins install ./dmg-plugin-burnin-1.0.0.tgz" },
  ],
  flags: {},
  args: "PACKAGE",
  run: async ({ args, waitFor }) => {
    const spec = one(args, "a package");
    const file = filePath(spec);
    const wanted = file ?? spec;
    const directory = pluginDirectory();
    await writePlugins(directory, await readPlugins(directory));
    await waitFor(npm(directory, ["install", ...NPM_INSTALL, wanted]));
    const name =
      file === undefined ? spec.replace(/(?<=.)@[^/]*$/, "") : await installedFrom(directory, file);
    const root = join(directory, "node_modules", name);
    try {
      await pluginName(root);
    } catch (error) {
      await npm(directory, ["uninstall", "--no-audit", "--no-fund", name]);
      throw error;
    }
    await add({ type: "user", name, tag: "latest" });
    return wellDone({ name, root }, () => `${name} is installed`);
  },
});

/** No scripts; no peers, which dmg provides; and what lies in a directory is copied. */
const NPM_INSTALL = [
  "--ignore-scripts",
  "--legacy-peer-deps",
  "--install-links",
  "--no-audit",
  "--no-fund",
  "--save-exact",
];

/** The absolute path of a package that is a file or a directory; undefined for one by its name. @throws Fault usage */
function filePath(spec: string): string | undefined {
  const isPath = /^(?:\.{0,2}\/|file:)|\.tgz$/.test(spec);
  if (!isPath) {
    if (/^(?:@[\w.-]+\/)?[\w.-]+(?:@[\w.^~<>=*-]+)?$/.test(spec)) return undefined;
    throw faultUsage(
      `"${spec}" is not the name of a package`,
      "use a name, name@version, or the path of a tarball or a directory",
    );
  }
  const path = resolve(spec.replace(/^file:/, ""));
  if (existsSync(path)) return path;
  throw faultUsage(`there is no package at ${path}`, "name a tarball of npm pack, or a directory");
}

/** The name of the package that npm has installed from a file. */
async function installedFrom(directory: string, file: string): Promise<string> {
  const found = Object.entries(await readDependencies(directory)).find(
    ([, version]) => version.startsWith("file:") && resolve(directory, version.slice(5)) === file,
  );
  if (found === undefined)
    throw faultUsage(`${file} is not a package`, "name a tarball of npm pack, or a directory");
  return found[0];
}

const remove = defineCommand({
  name: "plugins remove",
  synonyms: ["plugins unlink", "plugins uninstall"],
  summary: "Remove a plugin that you have linked or installed",
  examples: [{ text: "By its name", line: "plugins remove dmg-plugin-burnin" }],
  flags: {},
  args: "PLUGIN",
  run: async ({ args }) => {
    const name = one(args, "a plugin");
    const directory = pluginDirectory();
    const plugins = await readPlugins(directory);
    const found = plugins.find((plugin) => plugin.name === name);
    if (found === undefined)
      throw faultUsage(`there is no plugin "${name}"`, "list them with: dmg plugins list");
    if (found.type === "user") await npm(directory, ["uninstall", "--no-audit", "--no-fund", name]);
    await writePlugins(
      directory,
      plugins.filter((plugin) => plugin !== found),
    );
    return wellDone({ name, root: found.root ?? null }, () => `${name} is removed`);
  },
});

/** `dmg plugins`. */
export const pluginsTopic: Topic = {
  name: "plugins",
  summary: "Topics of third parties",
  commands: [list, link, install, remove],
};

function one(args: readonly string[], what: string): string {
  const [only] = args;
  if (only === undefined || args.length > 1)
    throw faultUsage(`name ${what}, exactly one`, "see the command's --help");
  return only;
}

async function add(plugin: UserPlugin): Promise<void> {
  const directory = pluginDirectory();
  const others = (await readPlugins(directory)).filter(({ name }) => name !== plugin.name);
  await writePlugins(directory, [...others, plugin]);
}

/** The name of the plugin in a directory. @throws Fault usage when there is none */
async function pluginName(root: string): Promise<string> {
  try {
    const { name, oclif } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
      name?: unknown;
      oclif?: unknown;
    };
    if (typeof name === "string" && typeof oclif === "object") return name;
  } catch (error) {
    throw faultUsage(`there is no plugin in ${root}`, "name a directory with a package.json", error);
  }
  throw faultUsage(`${root} is not an oclif plugin`, 'its package.json needs "name" and "oclif"');
}

async function npm(directory: string, argv: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)("npm", ["--prefix", directory, ...argv], { cwd: directory });
  } catch (error) {
    throw new Fault({
      domain: "general",
      code: FaultCode.missingSoftwareDependency,
      description: `npm ${argv.join(" ")}`,
      reason: (error as { stderr?: string }).stderr?.trim().split("\n")[0] ?? String(error),
      resolution: "check that npm is installed and that a registry can be reached, or use: dmg plugins link",
      cause: error,
    });
  }
}

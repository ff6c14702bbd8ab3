import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { defineCommand, faultUsage, formatTable, type Topic, wellDone } from "@daos/dmg-kit";
import { Fault, FaultCode } from "@daos/fault";
import { pluginDirectory, readPlugins, type UserPlugin, writePlugins } from "./plugin-store.ts";

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
  summary: "Install an oclif plugin from an npm registry",
  examples: [{ text: "A plugin by its package name", line: "plugins install dmg-plugin-burnin" }],
  flags: {},
  args: "PACKAGE",
  run: async ({ args, waitFor }) => {
    const spec = one(args, "a package");
    const name = spec.replace(/(?<=.)@[^/]*$/, "");
    if (!/^(?:@[\w.-]+\/)?[\w.-]+$/.test(name)) {
      throw faultUsage(`"${spec}" is not the name of a package`, "use a name, or name@version");
    }
    const directory = pluginDirectory();
    await writePlugins(directory, await readPlugins(directory));
    await waitFor(
      npm(directory, ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--save-exact", spec]),
    );
    await pluginName(join(directory, "node_modules", name));
    await add({ type: "user", name, tag: "latest" });
    return wellDone({ name, root: join(directory, "node_modules", name) }, () => `${name} is installed`);
  },
});

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

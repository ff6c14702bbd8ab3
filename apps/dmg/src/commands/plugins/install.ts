import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { faultUsage, onlyArgument } from "@daos/cli";
import { success } from "../../answer.ts";
import { defineCommand } from "../../define-command.ts";
import { npm } from "../../plugins/npm.ts";
import {
  addPlugin,
  pluginDirectory,
  pluginName,
  readDependencies,
  readPlugins,
  writePlugins,
} from "../../plugins/plugin-store.ts";

/** `dmg plugins install`. */
export const pluginsInstallCommand = defineCommand({
  name: "plugins install",
  summary: "Install an oclif plugin from an npm registry, a tarball or a directory",
  description:
    "A directory is copied; plugins link uses it where it is. Scripts of the package do not run. A plugin's peer dependencies of @daos are dmg's own packages.",
  examples: [
    { text: "A plugin by its package name", line: "plugins install dmg-plugin-burnin" },
    { text: "A tarball of npm pack", line: "plugins install ./dmg-plugin-burnin-1.0.0.tgz" },
  ],
  flags: {},
  args: "PACKAGE",
  run: async ({ args, waitFor }) => {
    const spec = onlyArgument(args, "a package");
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
    await addPlugin({ type: "user", name, tag: "latest" });
    return success({ name, root }, () => `${name} is installed`);
  },
});

/** Scripts do not run. Peers are not installed, because dmg provides them. A directory is copied, not linked. */
const NPM_INSTALL = [
  "--ignore-scripts",
  "--legacy-peer-deps",
  "--install-links",
  "--no-audit",
  "--no-fund",
  "--save-exact",
];

/**
 * The absolute path of a package that is a file or a directory. Undefined for the name of a package. @throws Fault
 * usage
 */
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

/** The name of the package that npm installed from a file. */
async function installedFrom(directory: string, file: string): Promise<string> {
  const found = Object.entries(await readDependencies(directory)).find(
    ([, version]) => version.startsWith("file:") && resolve(directory, version.slice(5)) === file,
  );
  if (found === undefined)
    throw faultUsage(`${file} is not a package`, "name a tarball of npm pack, or a directory");
  return found[0];
}

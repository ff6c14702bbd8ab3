import { faultUsage, onlyArgument } from "@daos/cli";
import { success } from "../../answer.ts";
import { defineCommand } from "../../define-command.ts";
import { npm } from "../../plugins/npm.ts";
import { pluginDirectory, readPlugins, writePlugins } from "../../plugins/plugin-store.ts";

/** `dmg plugins remove`. */
export const pluginsRemoveCommand = defineCommand({
  name: "plugins remove",
  synonyms: ["plugins unlink", "plugins uninstall"],
  summary: "Remove a plugin that you have linked or installed",
  examples: [{ text: "By its name", line: "plugins remove dmg-plugin-burnin" }],
  flags: {},
  args: "PLUGIN",
  run: async ({ args }) => {
    const name = onlyArgument(args, "a plugin");
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
    return success({ name, root: found.root ?? null }, () => `${name} is removed`);
  },
});

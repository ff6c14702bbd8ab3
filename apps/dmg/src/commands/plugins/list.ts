import { formatTable } from "@daos/cli";
import { success } from "../../answer.ts";
import { defineCommand } from "../../define-command.ts";
import { pluginDirectory, readPlugins } from "../../plugins/plugin-store.ts";

/** `dmg plugins list`. */
export const pluginsListCommand = defineCommand({
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
    return success(
      { plugins: plugins.map(({ name, type, root = null }) => ({ name, type, root })) },
      (width) =>
        rows.length === 0
          ? "No plugins"
          : formatTable({ columns: ["Plugin", "How", "Directory"], rows }, width),
    );
  },
});

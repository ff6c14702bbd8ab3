import { resolve } from "node:path";
import { onlyArgument } from "@daos/cli";
import { success } from "../../answer.ts";
import { defineCommand } from "../../define-command.ts";
import { addPlugin, pluginName } from "../../plugins/plugin-store.ts";

/** `dmg plugins link`. */
export const pluginsLinkCommand = defineCommand({
  name: "plugins link",
  summary: "Add the oclif plugin in a directory",
  description: "dmg loads the plugin from that directory at each run, so that changes to it take effect.",
  examples: [{ text: "A plugin of your own", line: "plugins link ./my-plugin" }],
  flags: {},
  args: "DIRECTORY",
  run: async ({ args }) => {
    const root = resolve(onlyArgument(args, "a directory"));
    const name = await pluginName(root);
    await addPlugin({ type: "link", name, root });
    return success({ name, root }, () => `${name} is linked`);
  },
});

import { ProcessCommandRunner } from "@daos/sys";
import { defineCommand } from "../../define-command.ts";

/** `daos-server network list`. */
export const networkListCommand = defineCommand({
  name: "network list",
  summary: "List the names of the fabric providers",
  examples: [{ text: "What a configuration may name as its provider", line: "network list" }],
  flags: {},
  run: async ({ flags }) => {
    const [{ hostTools }, { NetworkProvider }] = await Promise.all([
      import("../../host-tools.ts"),
      import("@daos/network"),
    ]);
    const { log } = await hostTools(flags);
    const providers = new NetworkProvider({ runner: new ProcessCommandRunner(), log }).listProviders();
    return { result: { providers }, lines: providers };
  },
});

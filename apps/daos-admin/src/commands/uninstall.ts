import { defineCommand } from "../define-command.ts";
import { uninstall } from "../installation/uninstall.ts";
import { PREFIX_FLAG } from "./prefix-flag.ts";

/** `daos-admin uninstall`. */
export const uninstallCommand = defineCommand({
  name: "uninstall",
  summary: "Remove the helper",
  examples: [{ text: "With its policy and its log", line: "uninstall --purge" }],
  flags: { prefix: PREFIX_FLAG, purge: { type: "boolean", summary: "the policy and the log too" } },
  run: async ({ prefix, purge }, say) => {
    await uninstall({ prefix, purge, say });
    return 0;
  },
});

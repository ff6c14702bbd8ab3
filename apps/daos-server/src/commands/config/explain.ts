import { onlyArgument } from "@daos/cli";
import { defineCommand } from "../../define-command.ts";

/** `daos-server config explain`. */
export const configExplainCommand = defineCommand({
  name: "config explain",
  summary: "Explain a key of the configuration, or all of them",
  description: "A key is given as in scm_class or servers[].scm_class. Without one, all are listed.",
  examples: [
    { text: "One key", line: "config explain bdev_class" },
    { text: "A section", line: "config explain failure_detection" },
  ],
  flags: { client: { type: "boolean", summary: "keys of the clients' file, daos.yml" } },
  args: "[KEY]",
  run: async ({ args, flags }) => {
    const { explainKey, formatExplanation, listKeys } = await import("@daos/config");
    const kind = flags.client ? "client" : "server";
    const keys = args.length === 0 ? listKeys(kind) : explainKey(onlyArgument(args, "a key"), kind);
    return { result: keys, lines: [keys.map(formatExplanation).join("\n\n")] };
  },
});

import { completionScript } from "@daos/cli";
import { success } from "../answer.ts";
import { defineCommand } from "../define-command.ts";

/** `dmg completion`. */
export const completionCommand = defineCommand({
  name: "completion",
  summary: "Print a completion script for bash, zsh or fish",
  description:
    "It completes words and flags, and from the live system the ranks, hosts and pools that flags take. Hosts and certificates are those of the command line that is being typed, or of the configuration file.",
  examples: [
    {
      text: "In bash, for this session",
      line: "completion bash > ~/.dmg-completion && source ~/.dmg-completion",
    },
    { text: "In fish", line: "completion fish | source" },
  ],
  flags: {},
  args: "SHELL",
  run: async ({ args }) => {
    const answer = completionScript("dmg", args);
    return success(answer, () => answer.script);
  },
});

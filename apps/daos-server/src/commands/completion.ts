import { completionScript } from "@daos/cli";
import { defineCommand } from "../define-command.ts";

/** `daos-server completion`. */
export const completionCommand = defineCommand({
  name: "completion",
  summary: "Print a completion script for bash, zsh or fish",
  examples: [
    {
      text: "In bash, for this session",
      line: "completion bash > ~/.daos-server-completion && source ~/.daos-server-completion",
    },
    { text: "In fish", line: "completion fish | source" },
  ],
  flags: {},
  args: "SHELL",
  run: async ({ args }) => {
    const answer = completionScript("daos-server", args);
    return { result: answer, lines: [answer.script] };
  },
});

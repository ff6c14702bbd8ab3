import { complete, type Program } from "@daos/cli";
import { defineCommand } from "../define-command.ts";

/** The hidden command that the completion scripts call. It prints the possible next words, one per line. */
export function completeCommand(program: () => Program) {
  return defineCommand({
    name: "complete",
    hidden: true,
    summary: "Print the possible completions of a command line",
    examples: [],
    flags: {},
    args: "-- WORDS",
    run: async ({ args }) => {
      const completion = complete(args, program());
      const words = completion.kind === "words" ? completion.words : [];
      return { result: { words }, lines: words };
    },
  });
}

import { complete, type Program } from "@daos/cli";
import { defineCommand } from "../define-command.ts";

/** The hidden command behind the scripts of `daos-server completion`: prints what may come next, one a line. */
export function completeCommand(program: () => Program) {
  return defineCommand({
    name: "complete",
    hidden: true,
    summary: "Print what may complete a command line",
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

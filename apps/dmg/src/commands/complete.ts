import { type Completion, complete, type Program, printable } from "@daos/cli";
import type { ControlClient } from "@daos/control-client";
import { success } from "../answer.ts";
import { defineCommand } from "../define-command.ts";
import { parseDuration } from "../run-command.ts";

/** The hidden command that the completion scripts call. It prints the possible next words, one per line. */
export function completeCommand(program: () => Program) {
  return defineCommand({
    name: "complete",
    hidden: true,
    summary: "Print the possible completions of a command line",
    examples: [],
    flags: {},
    args: "-- WORDS",
    run: async ({ args, connect }) => {
      const completion = complete(args, program());
      if (completion.kind === "files") return success({ words: [] }, () => "");
      if (completion.kind === "words")
        return success({ words: completion.words }, () => completion.words.join("\n"));
      const { client } = await connect(flagsOf(args));
      const words = await liveWords(client, completion);
      return success({ words }, () => words.join("\n"));
    },
  });
}

/** The deadline of completion's requests, unless the command line has `--timeout`. */
const COMPLETION_TIMEOUT_MS = 2_000;

/** The flags of the command line that say how to reach the system. */
function flagsOf(words: readonly string[]) {
  const value = (long: string, char?: string) => {
    const at = words.findIndex((word) => word === `--${long}` || (char !== undefined && word === `-${char}`));
    return (
      words.find((word) => word.startsWith(`--${long}=`))?.slice(long.length + 3) ??
      (at === -1 ? undefined : words[at + 1])
    );
  };
  const timeout = value("timeout");
  return {
    hostList: value("host-list", "l"),
    hostFile: value("host-file", "f"),
    configPath: value("config-path", "o"),
    insecure: words.some((word) => word === "--insecure" || /^-[a-z]*i/.test(word)),
    timeoutMs: timeout === undefined ? COMPLETION_TIMEOUT_MS : parseDuration(timeout),
  };
}

async function liveWords(
  client: ControlClient,
  { what, typed, before }: Extract<Completion, { kind: "live" }>,
): Promise<readonly string[]> {
  const { listPools, systemMemberQuery } = await import("@daos/control-client");
  const values =
    what === "pools"
      ? (await listPools(client, { system: "" })).pools.flatMap(({ label, uuid }) =>
          label === "" ? [uuid] : [label, uuid],
        )
      : (await systemMemberQuery(client)).map(({ rank, address }) =>
          what === "ranks" ? `${rank}` : address,
        );
  // In a list, only the last part is completed.
  const head = what === "pools" ? "" : typed.slice(0, typed.lastIndexOf(",") + 1);
  const words = values
    .map((value) => `${head}${value}`)
    .filter((word) => word.startsWith(typed) && word === printable(word));
  return [...new Set(words)].map((word) => `${before}${word}`);
}

import type { ControlClient } from "@daos/control-client";
import {
  type CommandTree,
  type Completion,
  complete,
  defineCommand,
  faultUsage,
  parseDuration,
  wellDone,
} from "@daos/dmg-kit";

const SCRIPTS: Readonly<Record<string, string>> = {
  // Bash cuts words at : and =, which stand in hosts and flags: the line is cut at blanks instead, and from what comes
  // back the part that bash does not replace is taken off.
  bash: `# bash completion of dmg:  source <(dmg completion bash)
_dmg() {
  local IFS=$' \\t\\n' line=\${COMP_LINE:0:COMP_POINT} kept
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  kept=\${words[-1]%"$2"}
  IFS=$'\\n'
  COMPREPLY=($(dmg complete -- "\${words[@]:1}" 2>/dev/null))
  COMPREPLY=("\${COMPREPLY[@]#"$kept"}")
}
complete -o default -F _dmg dmg`,
  zsh: `#compdef dmg
# zsh completion of dmg:  source <(dmg completion zsh)
_dmg() {
  local -a found
  found=("\${(@f)$(dmg complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${found[1]}" ]]; then compadd -a found; else _files; fi
}
compdef _dmg dmg`,
  fish: `# fish completion of dmg:  dmg completion fish | source
function __dmg_complete
  set -l typed (commandline -ct)
  set -l found (dmg complete -- (commandline -opc)[2..] "$typed" 2>/dev/null)
  if set -q found[1]
    printf '%s\\n' $found
  else
    __fish_complete_path "$typed"
  end
end
complete -c dmg -f -a '(__dmg_complete)'`,
};

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
  run: async ({ args: [shell = "", ...more] }) => {
    const script = SCRIPTS[shell];
    if (script === undefined || more.length > 0) {
      throw faultUsage(
        `"${[shell, ...more].join(" ")}" is not a shell that completion is made for`,
        "use bash, zsh or fish",
      );
    }
    return wellDone({ shell, script }, () => script);
  },
});

/** The hidden command behind the scripts: prints what may come next, one a line. */
export function completeCommand(tree: () => CommandTree) {
  return defineCommand({
    name: "complete",
    hidden: true,
    summary: "Print what may complete a command line",
    examples: [],
    flags: {},
    args: "-- WORDS",
    run: async ({ args, connect }) => {
      const completion = complete(args, tree());
      if (completion.kind === "files") return wellDone({ words: [] }, () => "");
      if (completion.kind === "words")
        return wellDone({ words: completion.words }, () => completion.words.join("\n"));
      const { client } = await connect(flagsOf(args));
      const words = await liveWords(client, completion);
      return wellDone({ words }, () => words.join("\n"));
    },
  });
}

/** Completion waits no longer, unless the line that is being typed has `--timeout`. */
const PATIENCE_MS = 2_000;

/** How to reach the system, as the line that is being typed says. */
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
    timeoutMs: timeout === undefined ? PATIENCE_MS : parseDuration(timeout),
  };
}

async function liveWords(
  client: ControlClient,
  { what, typed, before }: Extract<Completion, { kind: "live" }>,
): Promise<readonly string[]> {
  const { listPools, systemMemberQuery } = await import("@daos/control-client");
  const values =
    what === "pools"
      ? (await listPools(client, { system: "" })).map(({ uuid }) => uuid)
      : (await systemMemberQuery(client)).map(({ rank, address }) =>
          what === "ranks" ? `${rank}` : address,
        );
  // Lists are completed at their last part.
  const head = what === "pools" ? "" : typed.slice(0, typed.lastIndexOf(",") + 1);
  const words = values.map((value) => `${head}${value}`).filter((word) => word.startsWith(typed));
  return [...new Set(words)].map((word) => `${before}${word}`);
}

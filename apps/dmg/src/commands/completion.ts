import { faultUsage } from "@daos/cli";
import { success } from "../answer.ts";
import { defineCommand } from "../define-command.ts";

const SCRIPTS: Readonly<Record<string, string>> = {
  // Bash splits words at `:` and `=`, which are part of hosts and flags. The script splits the line at blanks instead.
  // It then removes from each candidate the prefix that bash does not replace.
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
    return success({ shell, script }, () => script);
  },
});

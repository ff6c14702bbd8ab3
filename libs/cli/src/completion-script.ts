import { faultUsage } from "./faults.ts";

type MakeScript = (program: string, functionName: string) => string;

const SCRIPTS: Readonly<Record<string, MakeScript>> = {
  // Bash cuts words at : and =, which stand in hosts and flags: the line is cut at blanks instead, and from what comes
  // back the part that bash does not replace is taken off.
  bash: (program, name) => `# bash completion of ${program}:  source <(${program} completion bash)
_${name}() {
  local IFS=$' \\t\\n' line=\${COMP_LINE:0:COMP_POINT} kept
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  kept=\${words[-1]%"$2"}
  IFS=$'\\n'
  COMPREPLY=($(${program} complete -- "\${words[@]:1}" 2>/dev/null))
  COMPREPLY=("\${COMPREPLY[@]#"$kept"}")
}
complete -o default -F _${name} ${program}`,
  zsh: (program, name) => `#compdef ${program}
# zsh completion of ${program}:  source <(${program} completion zsh)
_${name}() {
  local -a found
  found=("\${(@f)$(${program} complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${found[1]}" ]]; then compadd -a found; else _files; fi
}
compdef _${name} ${program}`,
  fish: (program, name) => `# fish completion of ${program}:  ${program} completion fish | source
function __${name}_complete
  set -l typed (commandline -ct)
  set -l found (${program} complete -- (commandline -opc)[2..] "$typed" 2>/dev/null)
  if set -q found[1]
    printf '%s\\n' $found
  else
    __fish_complete_path "$typed"
  end
end
complete -c ${program} -f -a '(__${name}_complete)'`,
};

/**
 * The script that makes a shell ask `PROGRAM complete -- WORDS...` what may come next. Where nothing comes back, the shell
 * offers files.
 *
 * @param args the arguments of `PROGRAM completion`: the name of one shell
 * @throws Fault usage for anything else
 */
export function completionScript(
  program: string,
  args: readonly string[],
): { readonly shell: string; readonly script: string } {
  const [shell = "", ...more] = args;
  const make = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (make === undefined || more.length > 0) {
    throw faultUsage(
      `"${args.join(" ")}" is not a shell that completion is made for`,
      "use bash, zsh or fish",
    );
  }
  return { shell, script: make(program, program.replaceAll("-", "_")) };
}

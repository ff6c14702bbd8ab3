import {
  checkAgainstMachine,
  checkServerFile,
  formatProblem,
  type Problem,
  pathsOf,
  sortProblems,
} from "@daos/config";
import { silentLogger } from "@daos/log";
import { collectMachineFacts } from "@daos/machine";
import { Flags } from "@oclif/core";
import { ServerCommand } from "../../server-command.ts";

const INVALID = 1;
const NOT_FOR_THIS_MACHINE = 3;

/** `daos-server config check`. */
export class ConfigCheck extends ServerCommand {
  static override readonly summary =
    "Check a configuration: the file, then whether this machine has what it needs";
  static override readonly description =
    "Exit code 0: it can be used here. 1: the file has errors. 3: the file is valid, but not for this machine.";

  static override readonly flags = {
    "file-only": Flags.boolean({ summary: "Check the file only, as for another machine" }),
  };

  static override readonly examples = [
    "<%= config.bin %> config check -o daos_server.yml",
    "<%= config.bin %> config check -o daos_server.yml --file-only --json",
  ];

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigCheck);
    const { config, draft, problems, positionOf } = await checkServerFile(flags.config);
    let onMachine: readonly Problem[] = [];
    let notes: readonly string[] = [];
    if (draft !== undefined && !flags["file-only"]) {
      const collected = await collectMachineFacts({ log: silentLogger, paths: pathsOf(draft) });
      // Messages name the file as the command line does.
      const named = { ...draft, path: flags.config };
      onMachine = checkAgainstMachine(named, collected.facts, { positionOf });
      notes = collected.notes;
    }
    const hasErrors = (found: readonly Problem[]) => found.some(({ severity }) => severity === "error");
    const startsNothing = config?.engines.length === 0;
    const usable = config !== undefined && !startsNothing && !hasErrors(onMachine);
    if (flags.json) {
      const answer = {
        file: flags.config,
        valid: config !== undefined,
        usable,
        problems,
        machine: onMachine,
        notes,
      };
      this.log(JSON.stringify(answer, null, 2));
    } else {
      for (const problem of sortProblems([...problems, ...onMachine])) this.log(formatProblem(problem));
      for (const note of notes) this.logToStderr(`note: ${note}`);
      const verdictOfAll = verdict(flags.config, problems, onMachine, config !== undefined);
      this.log(startsNothing ? `${verdictOfAll}; but daos-server start has nothing to start` : verdictOfAll);
    }
    if (config === undefined) process.exitCode = INVALID;
    else if (!usable) process.exitCode = NOT_FOR_THIS_MACHINE;
  }
}

function verdict(
  file: string,
  problems: readonly Problem[],
  onMachine: readonly Problem[],
  valid: boolean,
): string {
  const count = (found: readonly Problem[], severity: Problem["severity"]) => {
    const number = found.filter((problem) => problem.severity === severity).length;
    return number === 1 ? `1 ${severity}` : `${number} ${severity}s`;
  };
  const all = [...problems, ...onMachine];
  const warnings = count(all, "warning");
  if (!valid) return `${file} is not valid: ${count(all, "error")}, ${warnings}`;
  if (onMachine.some(({ severity }) => severity === "error")) {
    return `${file} is valid, but not for this machine: ${count(onMachine, "error")}, ${warnings}`;
  }
  return `${file} is valid: ${warnings}`;
}

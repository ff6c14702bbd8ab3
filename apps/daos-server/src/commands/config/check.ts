import type { Problem } from "@daos/config";
import { silentLogger } from "@daos/log";
import { defineCommand } from "../../define-command.ts";

const INVALID = 1;
const NOT_FOR_THIS_MACHINE = 3;

/** `daos-server config check`. */
export const configCheckCommand = defineCommand({
  name: "config check",
  summary: "Check a configuration: the file, then whether this machine has what it needs",
  description:
    "Exit code 0: the configuration can be used here. 1: the file has errors. 3: the file is valid, but not for this machine.",
  examples: [
    { text: "On the machine that it is for", line: "config check -o daos_server.yml" },
    { text: "For a program", line: "config check -o daos_server.yml --file-only --json" },
  ],
  flags: { "file-only": { type: "boolean", summary: "check the file only, as for another machine" } },
  run: async ({ flags }) => {
    const { checkAgainstMachine, checkServerFile, formatProblem, hostsOf, pathsOf, sortProblems } =
      await import("@daos/config");
    const { config, draft, problems, positionOf } = await checkServerFile(flags.config);
    let onMachine: readonly Problem[] = [];
    let notes: readonly string[] = [];
    if (draft !== undefined && !flags["file-only"]) {
      const { collectMachineFacts } = await import("@daos/machine");
      const collected = await collectMachineFacts({
        log: silentLogger,
        paths: pathsOf(draft),
        hosts: hostsOf(draft),
      });
      // Messages show the path from the command line.
      const named = { ...draft, path: flags.config };
      const { startProblems } = await import("../../start-problems.ts");
      onMachine = [
        ...checkAgainstMachine(named, collected.facts, { positionOf }),
        ...(await startProblems(named, { positionOf })),
      ];
      notes = collected.notes;
    }
    const hasErrors = (found: readonly Problem[]) => found.some(({ severity }) => severity === "error");
    const valid = config !== undefined;
    const startsNothing = config?.engines.length === 0;
    const usable = valid && !startsNothing && !hasErrors(onMachine);
    const verdictOfAll = verdict(flags.config, problems, onMachine, valid);
    return {
      result: { file: flags.config, valid, usable, problems, machine: onMachine, notes },
      lines: [
        ...sortProblems([...problems, ...onMachine]).map(formatProblem),
        startsNothing ? `${verdictOfAll}; but daos-server start has nothing to start` : verdictOfAll,
      ],
      notes: flags.json ? [] : notes.map((note) => `note: ${note}`),
      exitCode: usable ? 0 : valid ? NOT_FOR_THIS_MACHINE : INVALID,
    };
  },
});

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

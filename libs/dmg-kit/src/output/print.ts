import type { Answer } from "../answer.ts";
import { type ExitCode, exitCodeOfAll } from "../exit-codes.ts";
import type { Terminal } from "../terminal.ts";
import { faultsToJson, showFaults } from "./show-faults.ts";

export interface PrintOptions {
  readonly terminal: Terminal;
  /** The command, for messages: `storage scan`. */
  readonly what: string;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** Prints an answer, data on stdout and messages on stderr, and says how dmg is to exit. */
export function print(answer: Answer, options: PrintOptions): ExitCode {
  const { terminal, what, json, quiet } = options;
  const { failures, anyWell, notes = [] } = answer;
  const status = exitCodeOfAll(
    failures.map(({ fault }) => fault),
    anyWell,
  );
  if (json) {
    const errors = faultsToJson(failures);
    terminal.out(
      `${JSON.stringify({ command: what, status, result: answer.result, errors }, jsonValue, 2)}\n`,
    );
    return status;
  }
  const text = answer.text(terminal.columns);
  if (text !== "") terminal.out(`${text}\n`);
  if (!quiet) for (const note of notes) terminal.err(`dmg: ${note}\n`);
  if (failures.length > 0) terminal.err(`${showFaults(failures, what)}\n`);
  return status;
}

/** JSON has no bigint; DAOS's sizes stay far below 2^53. */
function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

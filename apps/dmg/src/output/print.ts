import { faultUsage, printable, printableLines, type Terminal } from "@daos/cli";
import type { Answer } from "../answer.ts";
import { type ExitCode, exitCodeOfAll } from "../exit-codes.ts";
import { faultsToJson, showFaults } from "./show-faults.ts";

/** Writes a document in a plugin's format. Returns undefined for an unknown format. */
export type Formatter = (format: string, document: object) => Promise<string | undefined>;

export interface PrintOptions {
  readonly terminal: Terminal;
  /** The command's words, for messages: `storage scan`. */
  readonly what: string;
  /** `table`, `json`, or a format of `formatter`. */
  readonly format: string;
  readonly quiet: boolean;
  readonly formatter?: Formatter | undefined;
}

/**
 * Prints an answer, data on stdout and messages on stderr. Returns the exit code.
 *
 * @throws Fault usage for an unknown format
 */
export async function print(answer: Answer, options: PrintOptions): Promise<ExitCode> {
  const { terminal, what, format, quiet } = options;
  const { failures, anySucceeded, notes = [], result } = answer;
  const status = exitCodeOfAll(
    failures.map(({ fault }) => fault),
    anySucceeded,
  );
  if (format === "json") {
    if (answer.emitted === true && failures.length === 0) return status;
    const document = { command: what, status, result, errors: faultsToJson(failures) };
    terminal.out(`${JSON.stringify(document, jsonValue, 2)}\n`);
    return status;
  }
  const text =
    format === "table"
      ? printableLines(answer.text(terminal.columns))
      : await otherFormat(answer, status, options);
  if (text !== "") terminal.out(`${text}\n`);
  if (!quiet) for (const note of notes) terminal.err(`dmg: ${printable(note)}\n`);
  if (failures.length > 0) terminal.err(`${showFaults(failures, what)}\n`);
  return status;
}

async function otherFormat(
  answer: Answer,
  status: ExitCode,
  { what, format, formatter }: PrintOptions,
): Promise<string> {
  const document = { command: what, status, result: answer.result, errors: faultsToJson(answer.failures) };
  const plain = JSON.parse(JSON.stringify(document, jsonValue)) as object;
  const text = await formatter?.(format, plain);
  if (text === undefined) {
    throw faultUsage(
      `there is no output format "${format}"`,
      "use table or json, or add a plugin that has it",
    );
  }
  return text;
}

/** JSON has no bigint. DAOS sizes are far below 2^53. */
export function jsonValue(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

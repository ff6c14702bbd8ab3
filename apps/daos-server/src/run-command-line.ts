import {
  asksForJson,
  checkFlags,
  commandHelp,
  faultNotACommand,
  type Output,
  parseCommandLine,
  printableLines,
  topicHelp,
} from "@daos/cli";
import { placeOfConfig } from "@daos/config/places";
import { Fault, FaultCode, toFault } from "@daos/fault";
import { DAOS_SERVER } from "./commands.ts";
import type { Answer, CommandContext } from "./define-command.ts";

/** The exit code of the process. */
interface Status {
  readonly exitCode: number;
  readonly failed: boolean;
}

const OK: Status = { exitCode: 0, failed: false };

/** Runs one command line, and prints its result. It throws nothing. */
export async function runCommandLine(argv: readonly string[], output: Output): Promise<Status> {
  const json = asksForJson(argv, DAOS_SERVER);
  try {
    const [first, ...others] = argv;
    const line = parseCommandLine(first === "--version" ? ["version", ...others] : argv, DAOS_SERVER);
    const isHelp = line.kind !== "unknown" && line.flags.has("help");
    switch (line.kind) {
      case "unknown":
        throw line.fault;
      case "topic":
        if (json && !isHelp) throw faultNotACommand(line.words, DAOS_SERVER);
        output.out(`${topicHelp(line.words, DAOS_SERVER, output.columns)}\n`);
        return OK;
      case "command": {
        const { command, flags: given, args } = line;
        if (isHelp) {
          output.out(`${commandHelp(command, DAOS_SERVER, output.columns)}\n`);
          return OK;
        }
        const { config, ...global } = checkFlags(given, DAOS_SERVER.globalFlags) as { config?: string };
        const place = placeOfConfig("server", config, { env: process.env });
        const flags = {
          ...global,
          ...checkFlags(given, command.flags),
          config: place.path,
          configFrom: place.from,
        };
        const context = { flags, args } as unknown as CommandContext<never>;
        return print(await command.run(context), json, output);
      }
      default:
        return line satisfies never;
    }
  } catch (error) {
    return print({ result: {}, lines: [], fault: inThisProgram(toFault(error)) }, json, output);
  }
}

/** Renames the domain of usage faults, which do not come from the control client here. */
function inThisProgram(fault: Fault): Fault {
  if (fault.domain !== "client" || fault.code !== FaultCode.usage) return fault;
  const { code, description, reason, resolution } = fault;
  return new Fault({ domain: "general", code, description, reason, resolution, cause: fault });
}

/**
 * Prints an answer, data on stdout and messages on stderr. A failure is printed with its description, code and resolution. With
 * `--json` the document on stdout also has it, in `status` and `errors`.
 */
function print(answer: Answer | undefined, json: boolean, output: Output): Status {
  if (answer === undefined) return OK;
  const { result, lines, notes = [], fault } = answer;
  for (const note of notes) output.err(`${printableLines(note)}\n`);
  if (fault === undefined) {
    const text = json ? toJson(result) : lines.map(printableLines).join("\n");
    if (text !== "") output.out(`${text}\n`);
    return { exitCode: answer.exitCode ?? 0, failed: false };
  }
  const { message, domain, code, description, reason = null, resolution } = fault;
  // 2: the command line cannot be used.
  const exitCode = answer.exitCode ?? (code === FaultCode.usage ? 2 : 1);
  if (json) {
    const errors = [{ domain, code, description, reason, resolution }];
    output.out(`${toJson({ ...result, status: exitCode, errors })}\n`);
  } else if (lines.length > 0) output.out(`${lines.map(printableLines).join("\n")}\n`);
  output.err(
    `daos-server: ${printableLines(message)} (${domain} ${code})\n  ${printableLines(resolution)}\n`,
  );
  return { exitCode, failed: true };
}

/** JSON text of a result; sizes beyond 2^53 are exact as strings. */
function toJson(result: object): string {
  return JSON.stringify(
    result,
    (_key, value: unknown) => (typeof value === "bigint" ? `${value}` : value),
    2,
  );
}

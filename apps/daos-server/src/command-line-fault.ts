import { Fault, FaultCode } from "@daos/fault";
import { closest } from "@daos/suggest";
import { COMMANDS } from "./commands.ts";

/** What @oclif/core says of a command line that it cannot understand; `flags` are those that a command does not have. */
interface OclifError extends Error {
  readonly flags?: readonly string[];
  readonly parse?: { readonly input?: { readonly flags?: Readonly<Record<string, unknown>> } };
}

/** The fault of a command line that oclif cannot understand: what was written, and what may have been meant. */
export function commandLineFault(error: OclifError): Fault {
  const unknown = /^command (.+) not found$/.exec(error.message)?.[1];
  if (unknown !== undefined) return faultCommand(unknown.split(":"));
  const [flag] = error.flags ?? [];
  if (flag !== undefined) return faultFlag(flag, Object.keys(error.parse?.input?.flags ?? {}));
  const [description = ""] = error.message.replace(/\nSee more help with --help$/, "").split("\n\n");
  return fault(
    description.replaceAll(/\s*\n\s*/g, " "),
    "daos-server COMMAND --help tells of its options",
    error,
  );
}

function faultCommand(words: readonly string[]): Fault {
  const names = Object.keys(COMMANDS).map((name) => name.replaceAll(":", " "));
  const line = words.join(" ");
  const known = names.find((name) => line.startsWith(`${name} `));
  if (known !== undefined) {
    const rest = line.slice(known.length + 1);
    return fault(
      `daos-server ${known} takes no arguments: ${rest}`,
      `daos-server ${known} --help tells of its options`,
    );
  }
  const near = closest(line, names);
  const below = names.filter((name) => name.startsWith(`${words[0]} `));
  const there = (below.length > 0 ? below : names).map((name) => `daos-server ${name}`).join(", ");
  return fault(
    `there is no command "daos-server ${line}"`,
    near === undefined ? `known commands: ${there}` : `did you mean "daos-server ${near}"?`,
  );
}

function faultFlag(flag: string, names: readonly string[]): Fault {
  const known = names.map((name) => `--${name}`);
  const near = flag.startsWith("--") ? closest(flag.replace(/=.*/s, ""), known) : undefined;
  return fault(
    `there is no flag ${flag} here`,
    near === undefined ? `the flags here are: ${known.join(", ")}` : `did you mean ${near}?`,
  );
}

function fault(description: string, resolution: string, cause?: unknown): Fault {
  return new Fault({ domain: "general", code: FaultCode.usage, description, resolution, cause });
}

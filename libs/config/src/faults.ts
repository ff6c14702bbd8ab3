import { countOf, Fault, FaultCode } from "@daos/fault";
import type { FileKind } from "./file-kind.ts";
import { formatSuggestions } from "./format-suggestions.ts";
import { formatProblem, type Problem } from "./problem.ts";

const HOW_TO_HAVE_ONE: Readonly<Record<FileKind, string>> = {
  server:
    "name the file with -o or DAOS_CONFIG, or make the default one: daos-server config generate > /etc/daos/daos_server.yml",
  client:
    "name the client's file with -o or DMG_CONFIG (daos.yml, not the server's), or leave both out and name hosts with -l",
};

/** The given configuration file does not exist. */
export function faultConfigNotFound(path: string, kind: FileKind, cause: unknown): Fault {
  return new Fault({
    domain: "config",
    code: FaultCode.configNotFound,
    description: `there is no configuration file ${path}`,
    resolution: HOW_TO_HAVE_ONE[kind],
    cause,
  });
}

/** A configuration file cannot be read. */
export function faultConfigUnreadable(path: string, reason: string, cause?: unknown): Fault {
  return new Fault({
    domain: "config",
    code: FaultCode.configUnreadable,
    description: `the configuration file ${path} cannot be read`,
    reason,
    resolution: "give the file's path with -o, and let the user that runs the command read it",
    cause,
  });
}

/** The configuration has errors. The fault lists all of them, one on each line. */
export function faultConfigInvalid(path: string, problems: readonly Problem[]): Fault {
  const errors = problems.filter(({ severity }) => severity === "error");
  return new Fault({
    domain: "config",
    code: FaultCode.configInvalid,
    description: `${path} is not a valid configuration, it has ${countOf(errors.length, "error")}`,
    reason: errors.map((problem) => `\n  ${formatProblem(problem)}`).join(""),
    resolution: "correct the lines named; daos-server config explain KEY explains a key",
  });
}

/** No configuration file has this key. */
export function faultConfigUnknownKey(key: string, suggestions: readonly string[]): Fault {
  const meant = formatSuggestions(suggestions);
  return new Fault({
    domain: "config",
    code: FaultCode.configUnknownKey,
    description: `there is no configuration key "${key}"${meant}`,
    resolution: "see all keys with: daos-server config explain",
  });
}

/** The configuration is valid but has no engine to start. */
export function faultNoEngines(path: string): Fault {
  return new Fault({
    domain: "config",
    code: FaultCode.configInvalid,
    description: `${path} has no section of an engine under "servers", so there is nothing to start`,
    resolution: "add one section for each engine; docs/samples has examples",
  });
}

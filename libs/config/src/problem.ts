import { redactText } from "@daos/log";
import { formatSuggestions } from "./format-suggestions.ts";

/** An error, a warning or a note about a configuration. */
export interface Problem {
  /**
   * An error keeps the configuration from being used. A note is about keys or values that only these programs read, not
   * release 0.8.0.
   */
  readonly severity: "error" | "warning" | "note";
  /** The file, or `command line`. */
  readonly file: string;
  /** From 1; `undefined` for a problem outside a file. */
  readonly line?: number | undefined;
  /** From 1. */
  readonly column?: number | undefined;
  /** The key, as in `servers[0].scm_class`; empty for the file as a whole. */
  readonly key: string;
  /** What is wrong, with the value seen. */
  readonly message: string;
  /** The allowed values, unless the message has them. */
  readonly expected?: string | undefined;
  /** The keys or values that were probably meant. */
  readonly suggestions?: readonly string[] | undefined;
}

/** `daos_server.yml:12:3: error: servers[0].scm_clas: unknown key; did you mean "scm_class"?` */
export function formatProblem(problem: Problem): string {
  const { severity, file, line, column, key, message, expected, suggestions } = problem;
  const where = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
  const what = key === "" ? message : `${key}: ${message}`;
  const allowed = expected === undefined ? "" : `; expected ${expected}`;
  return `${where}: ${severity}: ${what}${allowed}${formatSuggestions(suggestions)}`;
}

/** A problem whose message does not show the password of a URL or of a variable: it goes to terminals and logs. */
export function withoutSecrets(problem: Problem): Problem {
  return { ...problem, message: redactText(problem.message) };
}

/** In the order of the file. Problems outside a file come first. */
export function sortProblems(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0) || 0);
}

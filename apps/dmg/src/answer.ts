import type { HostFault } from "./output/show-faults.ts";

/** The result of a command, before it is printed in some format. */
export interface Answer {
  /** The `result` of `--json`; its shape is the command's JSON Schema. */
  readonly result: unknown;
  /** The same for people, without a newline at the end; empty for no output. Lines may be as wide as `columns`. */
  readonly text: (columns: number) => string;
  /** Also true when only a part of the request succeeded. */
  readonly anySucceeded: boolean;
  readonly failures: readonly HostFault[];
  /** Things to know that are no failures; for stderr. */
  readonly notes?: readonly string[];
  /** The data has been printed piece by piece already: there is no document at the end, unless something failed. */
  readonly emitted?: boolean;
}

/** An answer without failures. */
export function success(
  result: unknown,
  text: (columns: number) => string,
  notes: readonly string[] = [],
): Answer {
  return { result, text, anySucceeded: true, failures: [], notes };
}

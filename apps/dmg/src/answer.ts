import type { HostFault } from "./output/show-faults.ts";

/** The result of a command, before it is printed in some format. */
export interface Answer {
  /** The `result` of `--json`. Its shape is the command's JSON Schema. */
  readonly result: unknown;
  /**
   * The same result as text, without a newline at the end. Empty when there is no output. Lines may be as wide as
   * `columns`.
   */
  readonly text: (columns: number) => string;
  /** True also when only a part of the request succeeded. */
  readonly anySucceeded: boolean;
  readonly failures: readonly HostFault[];
  /** Notes for stderr that are no failures. */
  readonly notes?: readonly string[];
  /** The data has been printed piece by piece. No document follows, unless something failed. */
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

/** The message of an error; the text of any other thrown value. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node.js tries all addresses of a name. Its AggregateError has no message of its own.
  if (error instanceof AggregateError && error.message === "") return error.errors.map(errorText).join("; ");
  return error.message;
}

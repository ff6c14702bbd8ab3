/** Reads the output of node:test's "spec" reporter: the number of passed checks, and the names of the failed ones. */
export function readResults(output: string): { readonly passed: number; readonly failed: readonly string[] } {
  const failed = [...output.matchAll(/^✖ (.+) \(\d+(?:\.\d+)?ms\)$/gm)].map(([, name = ""]) => name);
  return { passed: output.match(/^✔ /gm)?.length ?? 0, failed: [...new Set(failed)] };
}

/** A regular expression between slashes that matches exactly this text. */
export function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

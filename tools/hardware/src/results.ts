/** What the reporter "spec" of node:test has printed: how many checks passed, and the names of those that did not. */
export function readResults(output: string): { readonly passed: number; readonly failed: readonly string[] } {
  const failed = [...output.matchAll(/^✖ (.+) \(\d+(?:\.\d+)?ms\)$/gm)].map(([, name = ""]) => name);
  return { passed: output.match(/^✔ /gm)?.length ?? 0, failed: [...new Set(failed)] };
}

/** A text as a regular expression between slashes that matches it alone. */
export function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

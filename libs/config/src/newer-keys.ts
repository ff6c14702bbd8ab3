import type { FileKind } from "./read-yaml.ts";

/** What to say of a key that only newer releases have; `undefined` for a key that no release has. */
export function newerKeyAdvice(_kind: FileKind, _section: string, _key: string): string | undefined {
  return undefined;
}

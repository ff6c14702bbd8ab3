import type { GlobalValues } from "./global-flags.ts";

/** How to call dmg for the same system: with the global flags that say where it is, ready for a shell. */
export function calledAs(global: GlobalValues): string {
  const words: readonly (readonly [string, string | undefined])[] = [
    ["-l", global["host-list"]],
    ["-f", global["host-file"]],
    ["-o", global["config-path"]],
  ];
  const named = words.flatMap(([flag, value]) => (value === undefined ? [] : [flag, quote(value)]));
  return ["dmg", ...(global.insecure ? ["-i"] : []), ...named].join(" ");
}

function quote(word: string): string {
  return /^[\w.,:/@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

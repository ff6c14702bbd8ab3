import type { GlobalValues } from "./global-flags.ts";

/** The dmg command line for the same system, with the global flags that reach it, quoted for a shell. */
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

import { parseCommandLine, wordsBelow } from "./parse-command-line.ts";
import type { FlagDefinition, FlagDefinitions, Program, StringFlag } from "./program.ts";

/** The possible ends of an incomplete command line. */
export type Completion =
  | { readonly kind: "words"; readonly words: readonly string[] }
  /** A value that only the live system knows. `typed` is the typed part, `before` the flag in front: `--ranks=`. */
  | {
      readonly kind: "live";
      readonly what: "ranks" | "hosts" | "pools";
      readonly typed: string;
      readonly before: string;
    }
  | { readonly kind: "files" };

/** Finds the completions of the last word, which is empty when a new word begins. It asks no server. */
export function complete(words: readonly string[], program: Program): Completion {
  const typed = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const { path, flags } = contextOf(before, program);
  const layers: readonly FlagDefinitions[] = [...flags, program.globalFlags];
  const pending = flagOf(before.at(-1), layers);
  if (pending !== undefined && pending.type !== "boolean") return completeValue(pending, typed, "");
  if (typed.startsWith("-")) {
    const inline = /^--([\w-]+)=(.*)$/s.exec(typed);
    const flag = inline === null ? undefined : flagOf(`--${inline[1]}`, layers);
    if (flag !== undefined && flag.type !== "boolean")
      return completeValue(flag, inline?.[2] ?? "", `--${inline?.[1]}=`);
    const names = layers.flatMap((layer) =>
      Object.entries(layer)
        .filter(([, { hidden }]) => hidden !== true)
        .map(([name]) => `--${name}`),
    );
    return matching(names, typed);
  }
  return matching(
    wordsBelow(path, program)
      .filter(({ hidden }) => hidden !== true)
      .map(({ name }) => name),
    typed,
  );
}

/** The words and flags that apply at the cursor. A command line that cannot be parsed yet has no flags of its own. */
function contextOf(
  before: readonly string[],
  program: Program,
): { path: readonly string[]; flags: FlagDefinitions[] } {
  for (let end = before.length; end >= 0; end--) {
    try {
      const line = parseCommandLine(before.slice(0, end), program);
      if (line.kind === "command") return { path: line.command.name.split(" "), flags: [line.command.flags] };
      if (line.kind === "topic") return { path: line.words, flags: [] };
      return { path: line.argv.slice(0, 1), flags: [] };
    } catch {
      // A flag without its value, or an unknown word: only the program's own flags are used.
    }
  }
  return { path: [], flags: [] };
}

function flagOf(token: string | undefined, layers: readonly FlagDefinitions[]): FlagDefinition | undefined {
  if (token === undefined || !/^--?[\w-]+$/.test(token)) return undefined;
  for (const layer of layers) {
    for (const [name, flag] of Object.entries(layer)) {
      if (token === `--${name}` || token === `-${flag.char}`) return flag;
    }
  }
  return undefined;
}

function completeValue(flag: FlagDefinition, typed: string, before: string): Completion {
  const { complete: what, options } = flag as StringFlag;
  if (options !== undefined) return matching(options, typed, before);
  if (what === undefined) return { kind: "words", words: [] };
  return what === "files" ? { kind: "files" } : { kind: "live", what, typed, before };
}

function matching(names: readonly string[], typed: string, before = ""): Completion {
  const words = [...new Set(names)].filter((name) => name.startsWith(typed)).sort();
  return { kind: "words", words: words.map((word) => `${before}${word}`) };
}

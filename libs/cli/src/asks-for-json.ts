import { allCommands, type Program } from "./program.ts";

/**
 * Whether a command line asks for JSON, also when it is otherwise invalid. Its error is then printed as JSON too. A
 * short flag with a value is followed by that value, as in `-ljhost`, in the program's and in any command's flags.
 */
export function asksForJson(argv: readonly string[], program: Program): boolean {
  const end = argv.indexOf("--");
  const words = end === -1 ? argv : argv.slice(0, end);
  const taking = lettersWithValue(program);
  return words.some((word, at) => {
    if (word === "--json" || word === "--json=true" || word === "--format=json") return true;
    if (word === "--format") return words[at + 1] === "json";
    if (!/^-[^-]/.test(word)) return false;
    const letters = [...word.slice(1)];
    const value = letters.findIndex((letter) => taking.has(letter));
    return letters.slice(0, value === -1 ? undefined : value).includes("j");
  });
}

function lettersWithValue(program: Program): ReadonlySet<string | undefined> {
  const global = Object.values(program.globalFlags);
  const own = allCommands(program).flatMap(({ flags }) => Object.values(flags));
  // A short flag of the program may precede the command, where no command's flag has that letter.
  const plain = new Set(global.filter(({ type }) => type === "boolean").map(({ char }) => char));
  const taking = [...global, ...own].filter(({ type, char }) => type !== "boolean" && !plain.has(char));
  return new Set(taking.map(({ char }) => char));
}

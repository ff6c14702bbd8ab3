import { faultUsage } from "./faults.ts";

/** Short words of release 0.8.0, by the words that they stand for. */
const ALIASES: Readonly<Record<string, string>> = {
  storage: "st",
  "storage:prepare": "p",
  "storage:scan": "s",
  "storage:format": "f",
  "storage:query": "q",
  "storage:query:nvme-health": "d",
  "storage:query:blobstore-health": "b",
  "storage:query:smd": "s",
  system: "sy",
  "system:leader-query": "l",
  "system:member-query": "q",
  "system:stop": "s",
  "system:list-pools": "p",
  network: "n",
  pool: "p",
  "pool:create": "c",
  "pool:destroy": "d",
  "pool:get-acl": "ga",
  "pool:overwrite-acl": "oa",
  "pool:update-acl": "ua",
  "pool:delete-acl": "da",
};

/** Flags that may stand before the command, as release 0.8.0 has it. The value says whether they take one. */
const LEADING: Readonly<Record<string, boolean>> = {
  "host-list": true,
  "host-file": true,
  "config-path": true,
  timeout: true,
  fanout: true,
  insecure: false,
  debug: false,
  json: false,
  quiet: false,
  "allow-proxy": false,
  help: false,
  version: false,
};
const LEADING_CHARS: Readonly<Record<string, string>> = {
  l: "host-list",
  f: "host-file",
  o: "config-path",
  i: "insecure",
  d: "debug",
  j: "json",
  q: "quiet",
  h: "help",
};

/** What a command line asks for. */
export type CommandLine =
  /** A command and its flags, those that stood before it first, in their long form. */
  | {
      readonly kind: "command";
      readonly id: string;
      readonly argv: readonly string[];
      readonly help: boolean;
    }
  /** A word with further words below it, or nothing at all (`topic` is empty). */
  | { readonly kind: "topic"; readonly topic: string; readonly help: boolean };

/**
 * Finds the command that the first words name, by name or alias. Flags may stand before and between them.
 *
 * @param ids every command there is, words joined by `:`
 * @throws Fault usage, with a suggestion, for a word or a flag that does not exist
 */
export function parseCommandLine(argv: readonly string[], ids: readonly string[]): CommandLine {
  const flags: string[] = [];
  const rest = [...argv];
  let path = "";
  let help = false;
  for (let token = rest.shift(); token !== undefined; token = rest.shift()) {
    if (token.startsWith("-") && token !== "-" && token !== "--") {
      flags.push(...leadingFlag(token, rest));
      continue;
    }
    if (token === "help") {
      help = true;
      continue;
    }
    path = nextPath(path, token, ids);
    if (ids.includes(path)) break;
  }
  help ||= flags.includes("--help");
  if (path === "" && flags.includes("--version")) path = "version";
  const own = flags.filter((flag) => flag !== "--help" && flag !== "--version");
  if (!ids.includes(path)) return { kind: "topic", topic: path, help };
  return { kind: "command", id: path, argv: [...own, ...rest], help: help || asksForHelp(rest) };
}

function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  const flags = end === -1 ? argv : argv.slice(0, end);
  return flags.includes("--help") || flags.includes("-h");
}

function nextPath(path: string, word: string, ids: readonly string[]): string {
  const prefix = path === "" ? "" : `${path}:`;
  const names = new Set(
    ids.filter((id) => id.startsWith(prefix)).map((id) => id.slice(prefix.length).split(":")[0] ?? ""),
  );
  const found = names.has(word) ? word : [...names].find((name) => ALIASES[`${prefix}${name}`] === word);
  if (found !== undefined) return `${prefix}${found}`;
  const line = `${prefix}${word}`.replaceAll(":", " ");
  const near = closest(word, names);
  throw faultUsage(
    `there is no command "dmg ${line}"`,
    near === undefined
      ? `the commands here are: ${[...names].sort().join(", ")}`
      : `did you mean "dmg ${`${prefix}${near}`.replaceAll(":", " ")}"? (dmg --help lists all commands)`,
  );
}

/** A flag before the command in its long form, with its value. */
function leadingFlag(token: string, rest: string[]): string[] {
  if (token.startsWith("--")) {
    const [name = "", ...value] = token.slice(2).split("=");
    const takes = LEADING[name];
    if (takes === undefined) throw unknownFlag(`--${name}`, Object.keys(LEADING));
    if (value.length > 0) return [`--${name}=${value.join("=")}`];
    return takes ? [`--${name}=${takeValue(`--${name}`, rest)}`] : [`--${name}`];
  }
  const flags: string[] = [];
  for (let letters = token.slice(1); letters !== ""; letters = letters.slice(1)) {
    const name = LEADING_CHARS[letters[0] ?? ""];
    if (name === undefined) throw unknownFlag(`-${letters[0]}`, []);
    if (LEADING[name] === true) {
      const value = letters.slice(1).replace(/^=/, "");
      return [...flags, `--${name}=${value === "" ? takeValue(`-${letters[0]}`, rest) : value}`];
    }
    flags.push(`--${name}`);
  }
  return flags;
}

function takeValue(flag: string, rest: string[]): string {
  const value = rest.shift();
  if (value === undefined) throw faultUsage(`${flag} needs a value`, "see dmg --help");
  return value;
}

function unknownFlag(flag: string, names: readonly string[]): Error {
  const near = closest(flag.slice(2), names);
  return faultUsage(
    `there is no flag ${flag} before the command`,
    near === undefined
      ? "flags of a command stand after it; dmg --help lists the others"
      : `did you mean --${near}?`,
  );
}

/** The word among `words` that `word` was probably meant to be. */
export function closest(word: string, words: Iterable<string>): string | undefined {
  let best: { readonly word: string; readonly distance: number } | undefined;
  for (const candidate of words) {
    const distance = candidate.startsWith(word) && word.length > 1 ? 0.5 : editDistance(word, candidate);
    if (
      distance <= Math.max(1, Math.floor(candidate.length / 3)) &&
      distance < (best?.distance ?? Infinity)
    ) {
      best = { word: candidate, distance };
    }
  }
  return best?.word;
}

/** How many letters must be added, removed, changed or swapped with the next. */
function editDistance(a: string, b: string): number {
  if (a.length > 64) return Infinity;
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, at) => at)];
  const cell = (row: number, column: number) => rows[row]?.[column] ?? Infinity;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const swap =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? cell(i - 2, j - 2) + 1 : Infinity;
      row.push(Math.min(cell(i - 1, j) + 1, cell(i, j - 1) + 1, cell(i - 1, j - 1) + same, swap));
    }
  }
  return cell(a.length, b.length);
}

import { closest } from "@daos/suggest";
import { faultUsage } from "./faults.ts";
import type { FlagDefinition, FlagDefinitions } from "./program.ts";

/** Flags as given: text, or true for a flag without a value. */
export type RawFlags = Map<string, string | true>;

/**
 * Reads one token that starts with a dash, and its value, which may be in `rest`: `--name value`, `--name=value`, `-n
 * value`, `-nvalue`, `-n=value`, and several letters after one dash.
 *
 * @param layers flag definitions; the first with a letter is used
 * @throws Fault usage, with a suggestion
 */
export function takeFlag(
  token: string,
  rest: string[],
  layers: readonly FlagDefinitions[],
  into: RawFlags,
): void {
  if (token.startsWith("--")) {
    const equals = token.indexOf("=");
    const name = token.slice(2, equals === -1 ? undefined : equals);
    const flag = findByName(name, layers);
    if (flag === undefined) throw unknownFlag(`--${name}`, layers);
    const inline = equals === -1 ? undefined : token.slice(equals + 1);
    if (flag.type === "boolean") into.set(name, booleanValue(name, inline));
    else setValue(name, flag, inline ?? takeValue(token, rest), into);
    return;
  }
  for (let letters = token.slice(1); letters !== ""; letters = letters.slice(1)) {
    const letter = letters.charAt(0);
    const found = findByChar(letter, layers);
    if (found === undefined) throw unknownFlag(`-${letter}`, layers);
    const [name, flag] = found;
    if (flag.type !== "boolean") {
      const inline = letters.slice(1).replace(/^=/, "");
      setValue(name, flag, inline === "" ? takeValue(`-${letter}`, rest) : inline, into);
      return;
    }
    into.set(name, true);
  }
}

/** The last value is used, as in release 0.8.0. Lists are joined, so that no host or rank is lost. */
function setValue(name: string, flag: FlagDefinition, value: string, into: RawFlags): void {
  const before = into.get(name);
  const separator = flag.type === "string" ? flag.joins : undefined;
  const joined = separator !== undefined && before !== undefined && before !== value;
  into.set(name, joined ? `${before}${separator}${value}` : value);
}

/** Checks flags against their definitions, converts them, and adds defaults. @throws Fault usage */
export function checkFlags(
  raw: RawFlags,
  definitions: FlagDefinitions,
): Record<string, string | number | boolean | undefined> {
  const values: Record<string, string | number | boolean | undefined> = {};
  for (const [name, flag] of Object.entries(definitions)) {
    const given = raw.get(name);
    if (given !== undefined && flag.excludes !== undefined && raw.has(flag.excludes)) {
      throw faultUsage(`--${name} and --${flag.excludes} exclude each other`, "leave one of them out");
    }
    values[name] = checkValue(name, flag, given);
  }
  return values;
}

function checkValue(name: string, flag: FlagDefinition, given: string | true | undefined) {
  switch (flag.type) {
    case "boolean":
      return given === true;
    case "string":
      if (given === undefined && flag.required) {
        const short = flag.char === undefined ? "" : `-${flag.char} or `;
        throw faultUsage(`${short}--${name} is missing`, `give ${flag.value}: ${flag.summary}`);
      }
      if (typeof given === "string" && flag.options?.includes(given) === false) {
        const near = closest(given, flag.options);
        throw faultUsage(
          `Expected --${name}=${given} to be one of: ${flag.options.join(", ")}`,
          near === undefined ? `give one of these; see its --help` : `did you mean --${name}=${near}?`,
        );
      }
      return given === true ? undefined : (given ?? flag.default);
    case "integer": {
      if (given === undefined) return flag.default;
      const number = typeof given === "string" && /^-?\d{1,15}$/.test(given) ? Number(given) : Number.NaN;
      if (!(number >= flag.min && number <= flag.max)) {
        throw faultUsage(
          Number.isNaN(Number(given))
            ? `--${name} Expected an integer but received: ${given}`
            : `--${name} ${given} is not allowed`,
          `give a whole number from ${flag.min} to ${flag.max}; see its --help`,
        );
      }
      return number;
    }
    default:
      return flag satisfies never;
  }
}

function findByName(name: string, layers: readonly FlagDefinitions[]): FlagDefinition | undefined {
  return layers.find((layer) => Object.hasOwn(layer, name))?.[name];
}

function findByChar(char: string, layers: readonly FlagDefinitions[]): [string, FlagDefinition] | undefined {
  for (const layer of layers) {
    const found = Object.entries(layer).find(([, flag]) => flag.char === char);
    if (found !== undefined) return found;
  }
  return undefined;
}

function booleanValue(name: string, inline: string | undefined): true {
  if (inline === undefined || inline === "true") return true;
  throw faultUsage(`--${name} takes no value, and "${inline}" was given`, `write --${name}, or leave it out`);
}

function takeValue(flag: string, rest: string[]): string {
  const value = rest[0];
  if (value === undefined || /^-\D/.test(value)) {
    throw faultUsage(
      `${flag} needs a value`,
      `write ${flag} VALUE; a value that starts with a dash as --flag=VALUE`,
    );
  }
  rest.shift();
  return value;
}

function unknownFlag(flag: string, layers: readonly FlagDefinitions[]): Error {
  const names = layers.flatMap((layer) =>
    Object.entries(layer)
      .filter(([, { hidden }]) => hidden !== true)
      .map(([name]) => `--${name}`),
  );
  const near = flag.startsWith("--") ? closest(flag, names) : undefined;
  return faultUsage(
    `there is no flag ${flag} here`,
    near === undefined ? `the flags here are: ${[...new Set(names)].join(", ")}` : `did you mean ${near}?`,
  );
}

import { type KeyExplanation, listKeys, showValue } from "./explain.ts";
import { toServerFile } from "./render.ts";
import type { ServerConfig } from "./types.ts";

/** One key of a configuration in force, with its meaning. */
export interface ConfiguredKey extends Pick<KeyExplanation, "description" | "allowed"> {
  /** As in `servers[0].scm_mount`. */
  readonly name: string;
  /** As YAML on one line. Environment variables are shown by name only. */
  readonly value: string;
  /** As YAML on one line; empty for none. */
  readonly default: string;
}

/** Every key that has a value, in the order of the file. */
export function describeConfig(config: ServerConfig): readonly ConfiguredKey[] {
  const explanations = new Map(listKeys("server").map((entry) => [entry.key, entry]));
  const list = (section: object, prefix: string): ConfiguredKey[] =>
    Object.entries(section).flatMap(([key, value]: [string, unknown]) => {
      const name = `${prefix}${key}`;
      if (value === undefined) return [];
      if (Array.isArray(value) && value.some(isSection)) {
        return value.flatMap((element: object, index) => list(element, `${name}[${index}].`));
      }
      if (isSection(value)) return list(value, `${name}.`);
      const known = explanations.get(name.replace(/\[\d+\]/g, "[]"));
      if (known === undefined) throw new Error(`the schema has no key ${name}`);
      return {
        name,
        value: showValue(key === "env_vars" ? (value as readonly string[]).map(withoutValue) : value),
        default: "default" in known ? showValue(known.default) : "",
        description: known.description,
        allowed: known.allowed,
      };
    });
  return list(toServerFile(config), "");
}

function isSection(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Engines get secrets by their environment. */
function withoutValue(assignment: string): string {
  return assignment.replace(/=.*$/s, "=...");
}

import { suggest } from "@daos/suggest";
import * as z from "zod";
import { clientSchema } from "./client-schema.ts";
import { describeAllowed, unwrap } from "./describe-schema.ts";
import { faultConfigUnknownKey } from "./faults.ts";
import type { FileKind } from "./file-kind.ts";
import { describeOtherReleaseKey, listOtherReleaseKeys } from "./other-releases.ts";
import { serverSchema } from "./server-schema.ts";

/** The explanation of one key of a configuration file. */
export interface KeyExplanation {
  /** With its section, as in `servers[].scm_class`. */
  readonly key: string;
  readonly file: FileKind;
  readonly description: string;
  readonly allowed: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  /** Why the key is not for this release. */
  readonly otherRelease?: string;
}

/** Every key of a file, sections before the keys in them. */
export function listKeys(kind: FileKind): readonly KeyExplanation[] {
  const list = (schema: z.ZodObject, prefix: string): KeyExplanation[] =>
    Object.entries(schema.shape).flatMap(([name, value]) => {
      const inner = unwrap(value as z.ZodType);
      const key = `${prefix}${name}`;
      const meta = inner.meta() ?? (value as z.ZodType).meta() ?? {};
      const own: KeyExplanation = {
        key,
        file: kind,
        description: meta.description ?? "",
        allowed: describeAllowed(inner),
        ...("default" in meta ? { default: meta.default } : {}),
        ...(Array.isArray(meta.examples) ? { examples: meta.examples } : {}),
      };
      const element = inner instanceof z.ZodArray ? unwrap(inner.element as z.ZodType) : inner;
      const below =
        element instanceof z.ZodObject
          ? list(element, `${key}${inner instanceof z.ZodArray ? "[]" : ""}.`)
          : [];
      return [own, ...below];
    });
  return list(kind === "server" ? serverSchema : clientSchema, "");
}

/**
 * Explains a key: `scm_class`, `servers[].scm_class` or `servers[0].scm_class`. Returns several explanations when several
 * sections have a key of that name. Keys of other releases are explained too.
 *
 * @throws Fault configUnknownKey, with the key that was probably meant
 */
export function explainKey(key: string, kind: FileKind = "server"): readonly KeyExplanation[] {
  const wanted = key.trim().replace(/\[\d*\]/g, "[]");
  const keys = listKeys(kind);
  const matches = (candidate: string) =>
    candidate === wanted || candidate.replaceAll("[]", "") === wanted || lastPart(candidate) === wanted;
  const found = keys.filter((entry) => matches(entry.key));
  if (found.length > 0) return found;
  const elsewhere = listOtherReleaseKeys(kind)
    .map(([section, name, entry]) => ({ key: section === "" ? name : `${section}.${name}`, entry }))
    .filter((candidate) => matches(candidate.key));
  if (elsewhere.length > 0) {
    return elsewhere.map(({ key: name, entry }) => ({
      key: name,
      file: kind,
      description: describeOtherReleaseKey(entry),
      allowed: "nothing: leave it out",
      otherRelease: entry.release,
    }));
  }
  const names = new Set(keys.flatMap((entry) => [entry.key, lastPart(entry.key)]));
  throw faultConfigUnknownKey(
    key,
    [...new Set([...suggest(wanted, names), ...suggest(lastPart(wanted), names)])].slice(0, 3),
  );
}

/** The explanation as text, several lines. */
export function formatExplanation(explanation: KeyExplanation): string {
  const { key, description, allowed, examples, otherRelease } = explanation;
  const lines = [key, `  ${description}`];
  if (otherRelease === undefined) {
    lines.push(`  Allowed: ${allowed}`);
    if ("default" in explanation) lines.push(`  Default: ${showValue(explanation.default)}`);
    for (const example of examples ?? []) lines.push(`  Example: ${lastPart(key)}: ${showValue(example)}`);
  }
  return lines.join("\n");
}

/** A value as YAML on one line. */
export function showValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value).replaceAll(",", ", ");
}

function lastPart(key: string): string {
  return key.slice(key.lastIndexOf(".") + 1);
}

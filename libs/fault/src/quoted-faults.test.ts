import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { explainFault } from "./registry.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const QUOTED = /^(?:dmg|daos-server): (?<text>.+) \((?<domain>[a-z]+) (?<code>\d+)\)$/gm;
/** A string or template, and an expression in a template (two levels of braces). */
const LITERAL = /`((?:[^`\\]|\\.)*)`|"((?:[^"\\\n]|\\.)*)"/g;
const EXPRESSION = /\$\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}/;
/** Shorter texts, as `the `, are in every sentence. */
const MIN_LENGTH = 10;

const read = (path: string) => readFileSync(`${ROOT}/${path}`, "utf8");

function quotedFaults() {
  return globSync("{README.md,docs/*.md}", { cwd: ROOT }).flatMap((file) =>
    [...read(file).matchAll(QUOTED)].map(({ groups }) => ({ file, ...groups })),
  ) as { readonly file: string; readonly text: string; readonly domain: string; readonly code: string }[];
}

/** The texts of the code, cut where values are inserted. */
function textsOfTheCode(): readonly (readonly string[])[] {
  const files = globSync("{apps,libs}/*/src/**/*.ts", { cwd: ROOT });
  return files
    .filter((file) => !/\.test\.ts$|\/gen\/|\/testing\//.test(file))
    .flatMap((file) => [...read(file).matchAll(LITERAL)])
    .map(([, template, string]) => (template ?? string ?? "").split(EXPRESSION))
    .filter((parts) => parts.join("").length >= MIN_LENGTH && parts.join("").includes(" "));
}

/** Replaces the parts of the text that come from the code with _. */
function valuesOf(text: string, texts: readonly (readonly string[])[]): string {
  const rest = text.split("");
  for (const parts of texts) {
    const pattern = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("(.*?)");
    const found = new RegExp(pattern, "d").exec(text);
    if (found === null) continue;
    let at = found.index;
    for (const [index, part] of parts.entries()) {
      if (index > 0) at = found.indices?.[index]?.[1] ?? at;
      rest.fill("_", at, at + part.length);
      at += part.length;
    }
  }
  return rest.join("").replaceAll(/_+/g, "_");
}

describe("faults that the documents quote", () => {
  const texts = textsOfTheCode();

  it.each(quotedFaults())("$file quotes ($domain $code) as the code has it", ({ text, code }) => {
    expect(explainFault(code)).toBeDefined();
    // Two words in a row, which the code does not have: the text was changed.
    expect(valuesOf(text, texts)).not.toMatch(/[a-z]{2,},? [a-z]{2,}/);
  });

  it.each([
    ["cannot open the moon: it is closed", ["cannot open ", ": it is closed"], "_the moon_"],
    ["cannot open a: it was shut", ["cannot open ", ": it is closed"], "cannot open a: it was shut"],
  ])("valuesOf(%j, %j) is %j", (text, parts, rest) => {
    expect(valuesOf(text, [parts])).toBe(rest);
  });
});

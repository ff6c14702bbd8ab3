import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { checkServerConfig } from "./check-server.ts";
import { listKeys } from "./explain.ts";
import { otherReleaseKey } from "./other-releases.ts";

// Runs thousands of checks, which take seconds on an idle machine and longer on a loaded one.
vi.setConfig({ testTimeout: 180_000 });

/** Release 0.8.0's template with every key in use. */
const template = readFileSync(join(import.meta.dirname, "..", "fixtures", "daos_server.yml"), "utf8").replace(
  /^#/gm,
  "",
);
/** The keys that the template lacks. */
const rest = `helper_log_file: /tmp/helper.log
control_log_json: true
recreate_superblocks: true
modules: vos
fabric_iface: ib0
fabric_iface_port: 31416
`;
/** Without its comments, which would be most of what is read 2,400 times. */
const lines = `${template}\n${rest}`
  .split("\n")
  .filter((line) => line.trim() !== "" && !line.trim().startsWith("#"));
const keys = new Set(listKeys("server").map(({ key }) => key));

interface Typo {
  readonly line: number;
  readonly column: number;
  readonly section: string;
  readonly key: string;
  readonly typed: string;
}

/** Every typo of one edit in a key: a character less, more, another, two swapped, or one in upper case. */
function mistype(key: string): ReadonlySet<string> {
  const typos = new Set<string>();
  for (let at = 0; at <= key.length; at++) {
    const [head, char, next, tail] = [
      key.slice(0, at),
      key.charAt(at),
      key.charAt(at + 1),
      key.slice(at + 2),
    ];
    typos.add(`${head}e${char}${next}${tail}`);
    if (at === key.length) break;
    typos.add(`${head}${next}${tail}`);
    typos.add(`${head}q${next}${tail}`);
    typos.add(`${head}${char.toUpperCase()}${next}${tail}`);
    if (next !== "") typos.add(`${head}${next}${char}${tail}`);
  }
  typos.delete(key);
  typos.delete("");
  return typos;
}

/** One typo in each key of the file, where it stands. */
function* everyTypo(): Generator<Typo> {
  let section = "";
  const seen = new Set<string>();
  for (const [index, line] of lines.entries()) {
    const match = /^(\s*(?:- )?)([a-z_]+):/.exec(line);
    if (match === null) {
      if (line === "-") section = "servers[].";
      continue;
    }
    const [, indent = "", key = ""] = match;
    if (indent === "") section = key === "transport_config" ? "transport_config." : "";
    const full = `${indent === "" ? "" : section}${key}`;
    if (!keys.has(full) || seen.has(full)) continue;
    seen.add(full);
    for (const typed of mistype(key)) {
      const parent = full.slice(0, full.length - key.length);
      const section = parent.replace(/\.$/, "");
      if (keys.has(`${parent}${typed}`) || otherReleaseKey("server", section, typed) !== undefined) continue;
      yield { line: index + 1, column: indent.length + 1, section, key, typed };
    }
  }
}

describe("checkServerConfig(), given every single-edit typo of every key,", () => {
  const typos = [...everyTypo()];

  it("sees at least 2,000 of them, in every section", () => {
    expect(typos.length).toBeGreaterThan(2_000);
    expect(new Set(typos.map(({ section }) => section))).toEqual(
      new Set(["", "transport_config", "servers[]"]),
    );
  });

  it("reports each at its place and, if unambiguous, with the intended key", () => {
    let named = 0;
    for (const typo of typos) {
      const wrong = lines.with(
        typo.line - 1,
        (lines[typo.line - 1] ?? "").replace(`${typo.key}:`, `${typo.typed}:`),
      );
      const { problems } = checkServerConfig(wrong.join("\n"), { path: "t.yml", cwd: "/" });
      const found = problems.find(({ line, message }) => line === typo.line && message === "unknown key");
      expect(found, JSON.stringify(typo)).toMatchObject({ severity: "error", column: typo.column });
      // The message names the intended key, or says that the key is unknown and lists the known keys.
      if (found?.suggestions?.includes(typo.key)) named += 1;
      else expect(found?.expected, JSON.stringify(typo)).toContain(typo.key);
    }
    expect(named).toBe(typos.length);
  });
});

import { describe, expect, it } from "vitest";
import { FaultCode } from "./codes.ts";
import { explainFault, formatFaultEntry, listFaults } from "./registry.ts";

/** The first and last number of each domain's block. */
const BLOCKS: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  general: [[0, 99]],
  storage: [[100, 199]],
  scm: [[200, 299]],
  bdev: [[300, 399]],
  network: [[400, 499]],
  config: [[500, 599]],
  superblock: [[600, 699]],
  engine: [[700, 719]],
  drpc: [[720, 799]],
  system: [[800, 899]],
  security: [[900, 999]],
  daos: [
    [1000, 1999],
    [2000, 2999],
  ],
  helper: [[3000, 3099]],
  client: [[3100, 3199]],
};

describe("explainFault()", () => {
  const entries = listFaults();

  it.each(Object.entries(FaultCode))("explains %s (%i): add new codes to registry.ts", (name, code) => {
    expect(explainFault(code)).toMatchObject({ name, code });
    expect(explainFault(name)).toMatchObject({ name, code });
  });

  it("has each code once, in the block of its domain", () => {
    expect(new Set(entries.map(({ code }) => code)).size).toBe(entries.length);
    expect(new Set(entries.map(({ name }) => name)).size).toBe(entries.length);
    for (const { code, domain, name } of entries) {
      const inside = (BLOCKS[domain] ?? []).some(([first, last]) => code >= first && code <= last);
      expect(inside, `${name} ${code} in ${domain}`).toBe(true);
    }
  });

  it("has a description, a reason and a resolution for each", () => {
    for (const { name, description, reason, resolution } of entries) {
      expect(description, name).toMatch(/^[^a-z].+\.$/s);
      expect(reason, name).toMatch(/^.+\.$/s);
      expect(resolution, name).toMatch(/^.+[^.]$/s);
    }
  });

  it.each([
    ["1007", "DER_NOSPACE"],
    [-1007, "DER_NOSPACE"],
    ["DER_NOSPACE", "DER_NOSPACE"],
    ["nospace", "DER_NOSPACE"],
    [" 502 ", "configInvalid"],
    [0, "unknown"],
    [2024, "DER_REC_SIZE"],
  ])("finds %j", (code, name) => {
    expect(explainFault(code)?.name).toBe(name);
  });

  it.each([99, 1037, "", "nonsense", Number.NaN, "__proto__"])("returns undefined for %j", (code) => {
    expect(explainFault(code)).toBeUndefined();
  });

  it("prints an entry", () => {
    const entry = explainFault(207);
    expect(
      entry === undefined ? "" : formatFaultEntry(entry),
    ).toBe(`scm: code = 207 (scmFormatInvalidParameter)
  An engine's memory storage cannot be formatted as it is configured.
  Usual reason: scm_class, scm_size or scm_list do not go together.
  What to do: correct the section: daos-server config check`);
  });
});

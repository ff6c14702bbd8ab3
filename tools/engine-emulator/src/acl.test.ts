import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_ACL, deleteFromAcl, normalizeAcl, updateAcl } from "./acl.ts";

describe("normalizeAcl", () => {
  it("normalizeAcl() sorts the kinds of entries like the data plane, and keeps the order within each kind", () => {
    expect(
      normalizeAcl([
        "A::EVERYONE@:r",
        "A:G:users@:rw",
        "A:G:GROUP@:rw",
        "A::bob@:r",
        "A::alice@:",
        "A::OWNER@:wr",
      ]),
    ).toEqual([
      "A::OWNER@:rw",
      "A::bob@:r",
      "A::alice@:",
      "A:G:GROUP@:rw",
      "A:G:users@:rw",
      "A::EVERYONE@:r",
    ]);
  });

  it("normalizeAcl() writes an entry like the data plane", () => {
    expect(normalizeAcl(["LAU:PFSG:users@domain:wwr"])).toEqual(["AUL:GSFP:users@domain:rw"]);
  });

  it.each([
    ["no entries", []],
    ["an empty entry", [""]],
    ["too few fields", ["A::alice@"]],
    ["too many fields", ["A::alice@:rw:"]],
    ["an unknown access type", ["B::alice@:rw"]],
    ["an unknown flag", ["A:x:alice@:rw"]],
    ["an unknown permission", ["A::alice@:rwx"]],
    ["a permission of later releases", ["A::alice@:rwc"]],
    ["no @", ["A::alice:rw"]],
    ["two @", ["A::alice@a@:rw"]],
    ["no name", ["A::@:rw"]],
    ["a name of 256 characters", [`A::${"x".repeat(255)}@:rw`]],
    ["the owner as a group", ["A:G:OWNER@:rw"]],
    ["the owner's group as a user", ["A::GROUP@:rw"]],
    ["an audit without an outcome", ["U::alice@:rw"]],
    ["an outcome without audit or alarm", ["A:S:alice@:rw"]],
  ])("normalizeAcl() refuses %s", (_, entries) => {
    expect(normalizeAcl(entries)).toBeUndefined();
  });

  it.each([
    ["an entry without a type", ["::ana@:r"]],
    ["the same principal twice", ["A::alice@:rw", "A::alice@:r"]],
    ["a name with a blank", ["A:G:domain users@:r"]],
  ])("normalizeAcl() accepts %s, like the real engine", (_, entries) => {
    expect(normalizeAcl(entries)).toEqual(entries);
  });

  it("normalizeAcl() accepts a user and a group with the same name", () => {
    expect(normalizeAcl(["A::x@:r", "A:G:x@:r"])).toEqual(["A::x@:r", "A:G:x@:r"]);
  });
});

describe("updateAcl", () => {
  it("updateAcl() replaces the entry of a principal, and inserts new entries in order", () => {
    expect(updateAcl(DEFAULT_ACL, ["A::EVERYONE@:r", "A:G:GROUP@:r", "A::bob@:rw"])).toEqual([
      "A::OWNER@:rw",
      "A::bob@:rw",
      "A:G:GROUP@:r",
      "A::EVERYONE@:r",
    ]);
  });

  it("updateAcl() refuses an invalid entry and an empty list", () => {
    expect(updateAcl(DEFAULT_ACL, ["A::bob:rw"])).toBeUndefined();
    expect(updateAcl(DEFAULT_ACL, [])).toBeUndefined();
  });
});

describe("deleteFromAcl", () => {
  const acl = ["A::OWNER@:rw", "A::bob@:r", "A:G:GROUP@:r", "A:G:bob@:r", "A::EVERYONE@:r"];

  it.each([
    ["OWNER@", "A::OWNER@:rw"],
    ["u:bob@", "A::bob@:r"],
    ["GROUP@", "A:G:GROUP@:r"],
    ["g:bob@", "A:G:bob@:r"],
    ["EVERYONE@", "A::EVERYONE@:r"],
  ])("deleteFromAcl() removes the entry of %s", (principal, entry) => {
    expect(deleteFromAcl(acl, principal)).toEqual({
      kind: "deleted",
      acl: acl.filter((one) => one !== entry),
    });
  });

  it("deleteFromAcl() distinguishes a missing principal from invalid text", () => {
    expect(deleteFromAcl(acl, "u:alice@").kind).toBe("missing");
    for (const text of ["", "bob@", "u:bob", "u:@", "x:bob@", "owner@"]) {
      expect(deleteFromAcl(acl, text).kind).toBe("invalid");
    }
  });
});

const letters = (all: string) => fc.subarray([...all]).map((list) => list.join(""));
const named = fc.record({
  name: fc.stringMatching(/^[a-z_][a-z0-9_.-]{0,20}@[a-z.]{0,8}$/),
  group: fc.boolean(),
});
const entry = fc
  .record({
    who: named,
    alert: fc.constantFrom("", "U", "L", "UL"),
    inherit: fc.boolean(),
    perms: letters("rw"),
  })
  .map(({ who, alert, inherit, perms }) => {
    const flags = `${who.group ? "G" : ""}${alert === "" ? "" : "SF"}${inherit ? "P" : ""}`;
    return `A${alert}:${flags}:${who.name}:${perms}`;
  });
const entries = fc.uniqueArray(entry, {
  minLength: 1,
  maxLength: 20,
  selector: (text) => `${text.split(":")[1]?.includes("G")} ${text.split(":")[2]}`,
});

describe("properties of lists", () => {
  it("normalizeAcl() changes nothing when it is repeated", () => {
    fc.assert(
      fc.property(entries, (list) => {
        const once = normalizeAcl(list);
        expect(once).toHaveLength(list.length);
        expect(normalizeAcl(once ?? [])).toEqual(once);
        expect([...(once ?? [])].sort()).toEqual([...list].sort());
      }),
    );
  });

  it("updateAcl() restores a deleted entry in its place", () => {
    fc.assert(
      fc.property(entries, fc.nat(), (list, pick) => {
        const acl = normalizeAcl(list) ?? [];
        const gone = acl[pick % acl.length] ?? "";
        const [, flags = "", name] = gone.split(":");
        const outcome = deleteFromAcl(acl, `${flags.includes("G") ? "g" : "u"}:${name}`);
        expect(outcome.kind).toBe("deleted");
        const rest = outcome.kind === "deleted" ? outcome.acl : [];
        expect([...(updateAcl(rest, [gone]) ?? [])].sort()).toEqual([...acl].sort());
      }),
    );
  });

  it("normalizeAcl() either refuses or normalizes any texts", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 40 })), (list) => {
        const acl = normalizeAcl(list);
        if (acl !== undefined) expect(normalizeAcl(acl)).toEqual(acl);
      }),
    );
  });
});

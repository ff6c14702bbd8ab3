import { describe, expect, it } from "vitest";
import { checkAclEntry, checkAclPrincipal, parseAcl } from "./acl-entry.ts";

describe("parseAcl()", () => {
  it("parseAcl() reads entries, comments and blank lines", () => {
    expect(parseAcl("# owner\n A::OWNER@:rw \n\nA:G:GROUP@:r\r\n", "f")).toEqual([
      "A::OWNER@:rw",
      "A:G:GROUP@:r",
    ]);
  });

  it("parseAcl() names the wrong line", () => {
    expect(() => parseAcl("A::OWNER@:rw\nA::ana:rw\n", "pool.acl")).toThrow("pool.acl, line 2");
  });
});

describe("checkAclEntry", () => {
  it.each([
    "A::OWNER@:rw",
    "A:G:physics@:r",
    "A::ana@example.org:",
    "AUL:SF:EVERYONE@:rw",
    "AU:GS:GROUP@:",
    "A:G:domain users@:r",
    "A:GP:DOM\\domain users@example.org:rw",
    `A::${"x".repeat(254)}@:r`,
  ])("checkAclEntry() accepts %j", (entry) => {
    expect(() => checkAclEntry(entry)).not.toThrow();
  });

  it.each([
    "",
    "A",
    "A::OWNER@",
    "A::OWNER@:rw:x",
    "X::OWNER@:r",
    "A:X:OWNER@:r",
    "A::OWNER:r",
    "A:: @:r",
    "A::a\tb@:r",
    "A::OWNER@:x",
    "A::OWNER@:rwc",
    "A:S:ana@:r",
    "A:GF:physics@:r",
    "AU::ana@:r",
    "L::ana@:r",
    "A:G:OWNER@:rw",
    "A::GROUP@:rw",
    "A:G:EVERYONE@:r",
    `A::${"x".repeat(255)}@:r`,
  ])("checkAclEntry() refuses %j", (entry) => {
    expect(() => checkAclEntry(entry)).toThrow("cannot be used");
  });
});

describe("principals", () => {
  it.each(["OWNER@", "GROUP@", "EVERYONE@", "u:ana@", "g:physics@example.org", "g:domain users@"])(
    "checkAclPrincipal() accepts %j",
    (text) => {
      expect(() => checkAclPrincipal(text)).not.toThrow();
    },
  );

  it.each(["", "ana@", "x:ana@", "u:ana", "OWNER", "u:a:b@", "u: @", `u:${"x".repeat(255)}@`])(
    "checkAclPrincipal() refuses %j",
    (text) => {
      expect(() => checkAclPrincipal(text)).toThrow("is not a principal");
    },
  );
});

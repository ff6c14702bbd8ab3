import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkAclEntry, checkAclPrincipal, parseAcl, parseAclFile } from "./acl-file.ts";
import { toPrincipal } from "./owner.ts";

describe("ACL files", () => {
  it("parseAclFile() reads entries, comments and blank lines", () => {
    expect(parseAcl("# owner\n A::OWNER@:rw \n\nA:G:GROUP@:r\r\n", "f")).toEqual([
      "A::OWNER@:rw",
      "A:G:GROUP@:r",
    ]);
  });

  it("parseAclFile() names the wrong line", () => {
    expect(() => parseAcl("A::OWNER@:rw\nA::ana:rw\n", "pool.acl")).toThrow("pool.acl, line 2");
  });

  it("parseAclFile() names the file and the line when it is not UTF-8", async () => {
    const directory = mkdtempSync(join(tmpdir(), "daos-acl-"));
    const path = join(directory, "pool.acl");
    writeFileSync(
      path,
      Buffer.concat([
        Buffer.from("# caf\u00e9\nA::OWNER@:rw\nA::"),
        Buffer.from([0xe9, 0x40]),
        Buffer.from(":r\n"),
      ]),
    );
    const reading = parseAclFile(path);
    await expect(reading).rejects.toThrow("line 3 is not UTF-8");
    await expect(reading).rejects.toMatchObject({ code: 3112 });
    rmSync(directory, { recursive: true });
  });

  it("parseAclFile() refuses a missing file", async () => {
    await expect(parseAclFile("/no/such/file")).rejects.toMatchObject({ code: 3112 });
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

  it.each([
    ["ana", "ana@"],
    ["ana@", "ana@"],
    ["ana@example.org", "ana@example.org"],
    ["domain users", "domain users@"],
  ])("toPrincipal() returns the owner of %s as %s", (name, principal) => {
    expect(toPrincipal(name)).toBe(principal);
  });

  it.each(["", " ", "a:b", "@", "a\nb", "x".repeat(255)])("toPrincipal() refuses %j", (name) => {
    expect(() => toPrincipal(name)).toThrow("cannot be a user or a group");
  });
});

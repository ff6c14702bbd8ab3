import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAclFile } from "./acl-file.ts";
import { toPrincipal } from "./owner.ts";

describe("ACL files", () => {
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

describe("principals", () => {
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

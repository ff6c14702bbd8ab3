import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { commonName, roleOf, showSubject, userOf } from "./role.ts";
import { TestAuthority, TestCertificateFiles } from "./testing/index.ts";

const authority = new TestAuthority();

it.each([
  ["server", "server", "server"],
  ["alice", "alice", undefined],
  ["admin\nCN=server", expect.not.stringMatching(/^(?:admin|server)$/), undefined],
])("roleOf() reads the common name %j", (name, expected, role) => {
  const { certificate } = authority.issue(name);
  expect(commonName(certificate)).toEqual(expected);
  expect(roleOf(certificate)).toBe(role);
  expect(showSubject(certificate)).not.toContain("\n");
});

it.each([
  ["alice", "alice"],
  [undefined, undefined],
  ["alice\nUID=bob\nCN=server", expect.not.stringMatching(/^bob$/)],
  ["x".repeat(100), "x".repeat(64)],
])("userOf() of a certificate issued to %j, whose role stays what it is", (user, expected) => {
  const subject = { organization: "DAOS", user, commonName: "admin" };
  const { certificate } = authority.issue("admin", { subject });
  expect(userOf(certificate)).toEqual(expected);
  expect(roleOf(certificate)).toBe("admin");
});

it("roleOf() does not break node:tls when that is not loaded yet", () => {
  using files = new TestCertificateFiles();
  const path = files.write("admin.crt", authority.issue("admin").certPem);
  const program = `
    import { readFileSync } from "node:fs";
    import { X509Certificate } from "node:crypto";
    const { roleOf } = await import(${JSON.stringify(new URL("./role.ts", import.meta.url).href)});
    const role = roleOf(new X509Certificate(readFileSync(${JSON.stringify(path)})));
    console.log(role, typeof process.getBuiltinModule("node:tls").createSecureContext);`;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  expect(output).toBe("admin function\n");
});

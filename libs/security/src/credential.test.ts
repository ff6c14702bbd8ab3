import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { FaultCode } from "@daos/fault";
import { auth } from "@daos/proto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCredential, readSys, validateCredential } from "./credential.ts";
import { inDays, TestAuthority, TestCertificateFiles, testKeys } from "./testing/index.ts";

const alice = { user: "alice@", group: "staff@", groups: ["staff@", "hpc@"], machinename: "node1" };
const authority = new TestAuthority();
const rsa = testKeys("rsa");

let files: TestCertificateFiles;
beforeEach(() => {
  files = new TestCertificateFiles();
});
afterEach(() => files[Symbol.dispose]());

function secure() {
  return files.transport("server", authority.pem, authority.issue("server"));
}

describe("validateCredential in insecure mode", () => {
  const transport = { allowInsecure: true, clientCertDir: "/nowhere", caCert: "/nowhere" };

  it("gives back the token of a credential with the right hash", async () => {
    const credential = createCredential(alice);
    const token = await validateCredential(credential, { transport });
    expect(readSys(token)).toMatchObject(alice);
    expect(credential.origin).toBe("agent");
  });

  it("hashes the serialized token with SHA-512", () => {
    const { token, verifier } = createCredential(alice);
    const bytes = toBinary(auth.TokenSchema, token as auth.Token);
    expect(Buffer.from(verifier?.data ?? [])).toEqual(createHash("sha512").update(bytes).digest());
  });

  const good = createCredential(alice);
  const token = good.token as auth.Token;
  it.each<[string, auth.Credential, string]>([
    ["no token", create(auth.CredentialSchema, { verifier: token }), "it has no token"],
    ["no verifier", create(auth.CredentialSchema, { token }), "it has no token, or no verifier"],
    ["another token", { ...good, token: createCredential({ user: "root@" }).token }, "not the hash"],
    ["a short verifier", { ...good, verifier: { ...token, data: new Uint8Array(3) } }, "not the hash"],
    ["a signature", createCredential(alice, { key: rsa.privateKey }), "not the hash of its token"],
    [
      "another flavor",
      { ...good, token: { ...token, flavor: auth.Flavor.AUTH_NONE } },
      "AUTH_NONE, not AUTH_SYS",
    ],
    ["a token of garbage", { ...good, token: { ...token, data: new Uint8Array([255]) } }, "does not decode"],
  ])("refuses %s", async (_, credential, reason) => {
    await expect(validateCredential(credential, { transport })).rejects.toThrow(reason);
    await expect(validateCredential(credential, { transport })).rejects.toMatchObject({
      code: FaultCode.credentialInvalid,
    });
  });
});

describe("validateCredential in secure mode", () => {
  it.each(["rsa", "ec"] as const)("takes a signature of the agent's %s key", async (type) => {
    const agent = authority.issue("agent", { keys: testKeys(type) });
    files.client("node7.cluster", agent.certPem);
    const credential = createCredential(alice, { key: agent.keys.privateKey, origin: "node7.cluster" });
    expect(readSys(await validateCredential(credential, { transport: secure() })).user).toBe("alice@");
  });

  it("refuses the bare hash, another key and a changed token", async () => {
    const agent = authority.issue("agent", { keys: rsa });
    files.client("agent", agent.certPem);
    const transport = secure();
    const signed = createCredential(alice, { key: rsa.privateKey });
    for (const credential of [
      createCredential(alice),
      createCredential(alice, { key: testKeys("rsa").privateKey }),
      createCredential(alice, { key: testKeys("ec").privateKey }),
      { ...signed, token: createCredential({ user: "root@" }).token },
    ]) {
      await expect(validateCredential(credential, { transport })).rejects.toThrow(
        "its signature was not made",
      );
    }
  });

  it.each([
    "../server",
    "..",
    "",
    "/etc/passwd",
    "a/b",
    "agent\0",
    "a..b",
    ".hidden",
    "agent.",
    "x".repeat(65),
    "agent\n",
    "ägent",
  ])("refuses the origin %j as a name", async (origin) => {
    files.client("agent", authority.issue("agent").certPem);
    const credential = createCredential(alice, { key: rsa.privateKey, origin });
    await expect(validateCredential(credential, { transport: secure() })).rejects.toThrow("is not a name");
  });

  const other = new TestAuthority();
  it.each<[string, string, number]>([
    ["another CA", other.issue("agent", { keys: rsa }).certPem, FaultCode.certificateWrongAuthority],
    ["no CA", new TestAuthority({ keys: rsa }).pem, FaultCode.certificateWrongAuthority],
    [
      "the past",
      authority.issue("agent", { keys: rsa, notBefore: inDays(-9), notAfter: inDays(-1) }).certPem,
      FaultCode.certificateExpired,
    ],
    [
      "the future",
      authority.issue("agent", { keys: rsa, notBefore: inDays(1) }).certPem,
      FaultCode.certificateNotYetValid,
    ],
    ["another role", authority.issue("admin", { keys: rsa }).certPem, FaultCode.certificateWrongRole],
    ["no role", authority.issue("alice", { keys: rsa }).certPem, FaultCode.certificateWrongRole],
    ["garbage", "hello", FaultCode.securityFileMalformed],
  ])("refuses a certificate of %s", async (_, certPem, code) => {
    files.client("agent", certPem);
    const credential = createCredential(alice, { key: rsa.privateKey });
    await expect(validateCredential(credential, { transport: secure() })).rejects.toMatchObject({ code });
  });

  it("says which file is missing, or too open", async () => {
    const transport = secure();
    const credential = createCredential(alice, { key: rsa.privateKey });
    const attempt = () => validateCredential(credential, { transport });
    await expect(attempt()).rejects.toThrow(`${transport.clientCertDir} does not exist`);
    mkdirSync(transport.clientCertDir, { mode: 0o700 });
    await expect(attempt()).rejects.toThrow(`${join(transport.clientCertDir, "agent.crt")} does not exist`);
    files.client("agent", authority.issue("agent", { keys: rsa }).certPem);
    chmodSync(transport.clientCertDir, 0o750);
    await expect(attempt()).rejects.toThrow("its mode is 0750, safe is nothing for group and others");
    chmodSync(transport.clientCertDir, 0o700);
    chmodSync(join(transport.clientCertDir, "agent.crt"), 0o666);
    await expect(attempt()).rejects.toThrow("its mode is 0666");
    chmodSync(join(transport.clientCertDir, "agent.crt"), 0o664);
    await expect(attempt()).resolves.toBeDefined();
  });

  it("does not follow a link out of the directory", async () => {
    const transport = secure();
    const outside = files.write("outside.crt", authority.issue("agent", { keys: rsa }).certPem);
    files.client("inside", authority.issue("agent", { keys: rsa }).certPem);
    rmSync(join(transport.clientCertDir, "agent.crt"), { force: true });
    symlinkSync(outside, join(transport.clientCertDir, "agent.crt"));
    symlinkSync("inside.crt", join(transport.clientCertDir, "linked.crt"));
    const attempt = (origin: string) =>
      validateCredential(createCredential(alice, { key: rsa.privateKey, origin }), { transport });
    await expect(attempt("agent")).rejects.toMatchObject({ code: FaultCode.securityFileMissing });
    await expect(attempt("linked")).resolves.toBeDefined();
  });
});

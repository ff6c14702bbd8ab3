import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { certificateStatus, describeStatus, needAttention } from "../certificate-status.ts";
import { loadIdentity } from "../load-identity.ts";
import { inDays, TestAuthority, TestCertificateFiles } from "../testing/index.ts";
import type { TransportConfig } from "../transport-config.ts";
import { initCa, issueCertificate, renewCertificate } from "./index.ts";

let directory = "";
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), "daos-ca-")), "daosCA");
});
afterEach(() => rmSync(join(directory, ".."), { recursive: true, force: true }));

function mode(path: string): string {
  return (statSync(join(directory, path)).mode & 0o777).toString(8);
}

function openssl(...args: string[]): string {
  return execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function transport(name: string): TransportConfig {
  return {
    allowInsecure: false,
    serverName: "server",
    clientCertDir: join(directory, "certs/clients"),
    caCert: join(directory, "certs/daosCA.crt"),
    cert: join(directory, `certs/${name}.crt`),
    key: join(directory, `certs/${name}.key`),
  };
}

describe("initCa", () => {
  it("makes an authority whose key no other user can read", async () => {
    await initCa({ directory });
    expect([mode("private"), mode("private/daosCA.key")]).toEqual(["700", "400"]);
    expect([mode("certs"), mode("certs/daosCA.crt"), mode("certs/clients")]).toEqual(["755", "644", "700"]);
    expect(
      openssl(
        "verify",
        "-x509_strict",
        "-CAfile",
        join(directory, "certs/daosCA.crt"),
        join(directory, "certs/daosCA.crt"),
      ),
    ).toContain("OK");
  });

  it("never replaces one", async () => {
    await initCa({ directory });
    const before = readFileSync(join(directory, "private/daosCA.key"), "utf8");
    await expect(initCa({ directory })).rejects.toMatchObject({ code: FaultCode.certificateAuthorityExists });
    expect(readFileSync(join(directory, "private/daosCA.key"), "utf8")).toBe(before);
  });
});

describe("issueCertificate", () => {
  it("puts the name that is given into the certificate, where release 0.8.0 sees only the role, and renewals keep it", async () => {
    await initCa({ directory });
    const { cert } = await issueCertificate({ directory, role: "admin", name: "alice" });
    const subject = () => openssl("x509", "-noout", "-subject", "-nameopt", "RFC2253", "-in", cert).trim();
    expect(subject()).toBe("subject=CN=admin,UID=alice,O=DAOS");
    await renewCertificate({ directory, cert });
    expect(subject()).toBe("subject=CN=admin,UID=alice,O=DAOS");
    const plain = await issueCertificate({ directory, role: "admin" });
    expect(plain.certificate.subject).toBe("O=DAOS\nCN=admin");
  });

  it.each([
    ["server", "sslserver", "EC prime256v1"],
    ["server", "sslclient", "EC prime256v1"],
    ["admin", "sslclient", "EC prime256v1"],
    ["agent", "sslclient", "RSA 4096"],
  ] as const)("makes a certificate for %s that OpenSSL takes as %s", async (role, purpose, keyType) => {
    await initCa({ directory });
    const { cert, key } = await issueCertificate({ directory, role });
    const ca = join(directory, "certs/daosCA.crt");
    expect(openssl("verify", "-x509_strict", "-purpose", purpose, "-CAfile", ca, cert)).toContain("OK");
    expect([mode(`certs/${role}.key`), mode(`certs/${role}.crt`)]).toEqual(["400", "644"]);
    expect((await certificateStatus(transport(role), { role }))[1]).toMatchObject({
      keyType,
      state: "ok",
      kind: role,
    });
    await expect(loadIdentity({ caCert: ca, cert, key }, { roles: [role] })).resolves.toBeDefined();
  });

  it("puts the authority's certificate beside those that go elsewhere, and leaves one that is there", async () => {
    await initCa({ directory });
    const output = join(directory, "elsewhere");
    await issueCertificate({ directory, role: "admin", output });
    const copy = join(output, "daosCA.crt");
    expect(readFileSync(copy)).toEqual(readFileSync(join(directory, "certs/daosCA.crt")));
    writeFileSync(copy, "two authorities");
    await issueCertificate({ directory, role: "server", output });
    expect(readFileSync(copy, "utf8")).toBe("two authorities");
  });

  it("does not make a client a server", async () => {
    await initCa({ directory });
    const { cert } = await issueCertificate({ directory, role: "admin" });
    const ca = join(directory, "certs/daosCA.crt");
    expect(() => openssl("verify", "-purpose", "sslserver", "-CAfile", ca, cert)).toThrow();
  });

  it("puts an agent's certificate where servers look for it, under its own name", async () => {
    await initCa({ directory });
    const issued = await issueCertificate({ directory, role: "agent", name: "node7", keyType: "ecdsa" });
    expect(readFileSync(join(directory, "certs/clients/node7.crt"), "utf8")).toBe(
      readFileSync(issued.cert, "utf8"),
    );
    expect(issued.certificate.subject).toBe("O=DAOS\nCN=agent");
  });

  it("adds names to a server's certificate, and ends with the authority at the latest", async () => {
    const { certificate: ca } = await initCa({ directory, days: 100 });
    const { certificate } = await issueCertificate({
      directory,
      role: "server",
      names: ["node1.cluster"],
      days: 1000,
    });
    expect(certificate.subjectAltName).toBe("DNS:server, DNS:node1.cluster");
    expect(certificate.validToDate).toEqual(ca.validToDate);
  });

  it("works with RSA throughout, as release 0.8.0 does", async () => {
    await initCa({ directory, keyType: "rsa" });
    const { certificate } = await issueCertificate({ directory, role: "server", keyType: "rsa" });
    expect(certificate.signatureAlgorithm).toBe("sha512WithRSAEncryption");
    expect(certificate.publicKey.asymmetricKeyDetails?.modulusLength).toBe(4096);
  });

  it.each(["../x", "a/b", "", "daosCA", "a..b", "-x"])("refuses the name %j", async (name) => {
    await initCa({ directory });
    await expect(issueCertificate({ directory, role: "admin", name })).rejects.toMatchObject({
      code: FaultCode.usage,
    });
  });

  it("leaves no key behind when a certificate cannot be written, so that it can be repeated", async () => {
    await initCa({ directory });
    const clients = join(directory, "certs/clients");
    rmSync(clients, { recursive: true });
    writeFileSync(clients, "not a directory");
    const attempt = () => issueCertificate({ directory, role: "agent", keyType: "ecdsa" });
    await expect(attempt()).rejects.toThrow("ENOTDIR");
    expect(readdirSync(join(directory, "certs")).sort()).toEqual(["clients", "daosCA.crt"]);
    rmSync(clients);
    mkdirSync(clients);
    await attempt();
  });

  it("refuses to overwrite, a missing authority, an open key, and an expired authority", async () => {
    const attempt = (now = () => new Date()) => issueCertificate({ directory, role: "admin", now });
    await expect(attempt()).rejects.toMatchObject({
      description: `there is no certificate authority in ${directory}`,
      reason: expect.stringContaining("daosCA.crt does not exist"),
      resolution: expect.stringContaining(`cert init --directory ${directory}`),
    });
    await initCa({ directory, days: 10 });
    await expect(attempt(() => inDays(11))).rejects.toMatchObject({ code: FaultCode.certificateExpired });
    chmodSync(join(directory, "private/daosCA.key"), 0o440);
    await expect(attempt()).rejects.toMatchObject({
      resolution: `run: chmod 0400 ${join(directory, "private/daosCA.key")}`,
    });
    chmodSync(join(directory, "private/daosCA.key"), 0o400);
    await attempt();
    await expect(attempt()).rejects.toThrow("admin.crt exists already");
    expect(readdirSync(join(directory, "certs")).sort()).toEqual([
      "admin.crt",
      "admin.key",
      "clients",
      "daosCA.crt",
    ]);
  });
});

describe("renewCertificate", () => {
  it("keeps role, names and key, also when the certificate has expired", async () => {
    await initCa({ directory });
    const issued = await issueCertificate({ directory, role: "server", names: ["node1"], days: 1 });
    const renewed = await renewCertificate({ directory, cert: issued.cert, now: () => inDays(2) });
    expect(renewed.certificate.subjectAltName).toBe("DNS:server, DNS:node1");
    expect(renewed.certificate.publicKey.equals(issued.certificate.publicKey)).toBe(true);
    expect(renewed.certificate.validToDate.getTime()).toBeGreaterThan(inDays(1000).getTime());
    expect(renewed.certificate.serialNumber).not.toBe(issued.certificate.serialNumber);
  });

  it("makes a new key when asked, and renews the copy for the servers", async () => {
    await initCa({ directory });
    const issued = await issueCertificate({ directory, role: "agent", keyType: "ecdsa" });
    const renewed = await renewCertificate({ directory, cert: issued.cert, newKey: true });
    expect(renewed.certificate.publicKey.equals(issued.certificate.publicKey)).toBe(false);
    expect(readFileSync(join(directory, "certs/clients/agent.crt"), "utf8")).toBe(
      renewed.certificate.toString(),
    );
    expect(mode("certs/agent.key")).toBe("400");
    await expect(loadIdentity(transport("agent"), { roles: ["agent"] })).resolves.toBeDefined();
  });

  it("refuses what another authority issued", async () => {
    await initCa({ directory });
    using files = new TestCertificateFiles();
    const cert = files.write("admin.crt", new TestAuthority().issue("admin").certPem);
    await expect(renewCertificate({ directory, cert })).rejects.toMatchObject({
      code: FaultCode.certificateWrongAuthority,
    });
  });
});

describe("certificateStatus", () => {
  it("lists everything it can see, and what needs attention first", async () => {
    await initCa({ directory });
    await issueCertificate({ directory, role: "server", days: 20 });
    await issueCertificate({ directory, role: "admin", days: 400 });
    await issueCertificate({ directory, role: "agent", keyType: "ecdsa", days: 5 });
    const list = await certificateStatus(transport("server"), { role: "server", caDirectory: directory });
    expect(list.map(({ kind, state, daysLeft }) => [kind, state, daysLeft])).toEqual([
      ["ca", "ok", 3649],
      ["server", "expiring", 19],
      ["agent", "expiring", 4],
      ["admin", "ok", 399],
      ["agent", "expiring", 4],
    ]);
    const attention = needAttention(list);
    expect(attention.map(({ daysLeft }) => daysLeft)).toEqual([4, 4, 19]);
    expect(describeStatus(attention[2] as (typeof list)[0])).toMatch(
      /server\.crt \(O=DAOS, CN=server\) expires in 19 days/,
    );
  });

  it("reports what cannot be used with its fault", async () => {
    await initCa({ directory });
    const { cert, key } = await issueCertificate({ directory, role: "server", days: 1 });
    const at = async (now: Date) => (await certificateStatus(transport("server"), { now: () => now }))[1];
    expect(await at(inDays(1.5))).toMatchObject({
      state: "unusable",
      daysLeft: -1,
      fault: { code: FaultCode.certificateExpired },
    });
    chmodSync(cert, 0o666);
    expect(await at(new Date())).toMatchObject({
      state: "unusable",
      fault: { code: FaultCode.securityFileMode },
    });
    chmodSync(cert, 0o644);
    rmSync(key);
    expect(await at(new Date())).toMatchObject({
      state: "unusable",
      fault: { code: FaultCode.securityFileMissing },
    });
    chmodSync(join(directory, "certs/clients"), 0o755);
    rmSync(cert);
    expect(await at(new Date())).toMatchObject({
      kind: undefined,
      fault: { code: FaultCode.securityFileMissing },
    });
  });
});

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { authorizeCaller } from "./authorize-caller.ts";
import { initCa, issueCertificate, revokeCertificate } from "./ca/index.ts";
import { certificateStatus } from "./certificate-status.ts";
import { createCredential, validateCredential } from "./credential.ts";
import { createGrpcServer } from "./grpc-server.ts";
import { readCertificates, readPrivateKey } from "./read-pem-file.ts";
import { readRevocations } from "./revocations.ts";
import { grpcCall, TestAuthority } from "./testing/index.ts";
import { clientTlsOptions } from "./tls-options.ts";
import type { TransportConfig } from "./transport-config.ts";

let home = "";
let directory = "";
const path = (name: string) => join(directory, "certs", name);
const openssl = (...args: string[]) =>
  execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const transport = (name: string, crl = true): TransportConfig => ({
  allowInsecure: false,
  serverName: "server",
  clientCertDir: path("clients"),
  caCert: path("daosCA.crt"),
  crl: crl ? path("daosCA.crl") : undefined,
  cert: path(`${name}.crt`),
  key: path(`${name}.key`),
});

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "daos-crl-"));
  directory = join(home, "daosCA");
  await initCa({ directory });
  for (const role of ["server", "admin", "agent"] as const)
    await issueCertificate({ directory, role, keyType: role === "agent" ? "rsa" : "ecdsa" });
  await issueCertificate({ directory, role: "admin", name: "alice" });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

describe("revokeCertificate()", () => {
  it("writes a list that OpenSSL reads and verifies, and adds to it", async () => {
    const first = await revokeCertificate({ directory, cert: path("alice.crt") });
    expect(first).toMatchObject({ count: 1, before: false, list: path("daosCA.crl") });
    expect(await revokeCertificate({ directory, cert: path("agent.crt") })).toMatchObject({ count: 2 });
    expect(await revokeCertificate({ directory, cert: path("alice.crt") })).toMatchObject({
      count: 2,
      before: true,
    });
    const text = openssl("crl", "-in", path("daosCA.crl"), "-noout", "-text", "-CAfile", path("daosCA.crt"));
    expect(text).toContain(`Serial Number: ${first.serial}`);
    expect(text.match(/Serial Number/g)).toHaveLength(2);
    expect(text).toMatch(/CRL Number:\s*\n?\s*2/);
    const verify = (name: string) =>
      openssl(
        "verify",
        "-crl_check",
        "-CAfile",
        path("daosCA.crt"),
        "-CRLfile",
        path("daosCA.crl"),
        path(name),
      );
    expect(verify("admin.crt")).toContain("OK");
    expect(() => verify("alice.crt")).toThrow(/certificate revoked/);
  });

  it("refuses a certificate of another authority, and the authority's own", async () => {
    const other = new TestAuthority();
    writeFileSync(join(home, "other.crt"), other.issue("admin").certPem);
    for (const cert of [join(home, "other.crt"), path("daosCA.crt")])
      await expect(revokeCertificate({ directory, cert })).rejects.toMatchObject({
        code: FaultCode.certificateWrongAuthority,
      });
  });
});

describe("readRevocations()", () => {
  it("reads a list that OpenSSL has made", async () => {
    writeFileSync(join(home, "index"), "");
    writeFileSync(join(home, "number"), "0A\n");
    writeFileSync(
      join(home, "ca.cnf"),
      `[ca]\ndefault_ca=d\n[d]\ndatabase=${home}/index\ncrlnumber=${home}/number\ndefault_md=sha256\ndefault_crl_days=30\n`,
    );
    const ca = ["-config", join(home, "ca.cnf"), "-cert", path("daosCA.crt")];
    const key = ["-keyfile", join(directory, "private/daosCA.key")];
    openssl("ca", ...ca, ...key, "-revoke", path("alice.crt"), "-crl_reason", "keyCompromise");
    openssl("ca", ...ca, ...key, "-gencrl", "-out", path("daosCA.crl"));
    const [authority] = await readCertificates(path("daosCA.crt"));
    const revocations = await readRevocations(path("daosCA.crl"), [authority]);
    const [alice] = await readCertificates(path("alice.crt"));
    const [admin] = await readCertificates(path("admin.crt"));
    expect(revocations.revokedAt(alice, authority)).toBeInstanceOf(Date);
    expect(revocations.revokedAt(admin, authority)).toBeUndefined();
    expect(revocations.number).toBe(10);
  });

  it.each<[string, (good: string) => string, RegExp]>([
    ["empty", () => "", /no PEM block X509 CRL/],
    ["damaged", (good) => good.replace(/\n.{20}/, "\nAAAAAAAAAAAAAAAAAAAA"), /cannot be used/],
    [
      "changed by others",
      (good) => good.replace(/.{8}(?=\n-----END)/, "AAAAAAAA"),
      /belongs to the key that signed it/,
    ],
  ])("refuses a list that is %s", async (_, change, reason) => {
    await revokeCertificate({ directory, cert: path("alice.crt") });
    writeFileSync(path("daosCA.crl"), change(readFileSync(path("daosCA.crl"), "utf8")));
    const authorities = await readCertificates(path("daosCA.crt"));
    const reading = readRevocations(path("daosCA.crl"), authorities);
    await expect(reading).rejects.toMatchObject({ code: FaultCode.revocationListUnusable });
    await expect(reading).rejects.toThrow(reason);
  });
});

describe("Revocations: a certificate on the list", () => {
  it("ends its sessions at the next look at the files, and is refused from then on", async () => {
    await revokeCertificate({ directory, cert: path("alice.crt") });
    const server = await createGrpcServer({
      transport: transport("server"),
      log: silentLogger,
      handler: (request, response) => {
        request.resume();
        response.addTrailers({ "grpc-status": "0" });
        response.end("passed");
      },
      pollMs: 10,
    });
    await new Promise<void>((resolve) => server.server.listen(0, "127.0.0.1", resolve));
    const { port } = server.server.address() as AddressInfo;
    try {
      const refusal = { status: "16", text: expect.stringMatching(/was revoked on/) };
      expect(await grpcCall(port, await clientTlsOptions(transport("alice", false)))).toMatchObject(refusal);
      const admin = await clientTlsOptions(transport("admin", false));
      const session = connect(`https://127.0.0.1:${port}`, admin);
      session.on("error", () => {});
      await new Promise((resolve) => session.once("remoteSettings", resolve));
      const ended = new Promise((resolve) => session.once("close", resolve));
      await revokeCertificate({ directory, cert: path("admin.crt") });
      await ended;
      expect(await grpcCall(port, admin)).toMatchObject(refusal);
      // A client verifies its server in the same way.
      expect(await grpcCall(port, await clientTlsOptions(transport("agent")))).toMatchObject({ status: "0" });
      await revokeCertificate({ directory, cert: path("server.crt") });
      await expect(grpcCall(port, await clientTlsOptions(transport("agent")))).rejects.toMatchObject({
        code: FaultCode.certificateRevoked,
      });
    } finally {
      await server.close({ graceMs: 0 });
    }
  });

  it("vouches for no caller, user or file", async () => {
    for (const name of ["alice", "agent"]) await revokeCertificate({ directory, cert: path(`${name}.crt`) });
    const [alice] = await readCertificates(path("alice.crt"));
    const call = { transport: transport("server"), path: "/mgmt.MgmtSvc/PoolDestroy", from: "10.0.0.1" };
    expect(await authorizeCaller(alice.raw, call)).toMatchObject({ code: FaultCode.notAuthorized });
    expect(
      await authorizeCaller(alice.raw, { ...call, transport: transport("server", false) }),
    ).toBeUndefined();
    const { key } = await readPrivateKey(path("agent.key"));
    const credential = createCredential(
      { user: "u@", group: "g@", groups: [], stamp: 0n, machinename: "m" },
      { key },
    );
    await expect(validateCredential(credential, { transport: transport("server") })).rejects.toMatchObject({
      code: FaultCode.certificateRevoked,
    });
    const status = await certificateStatus(transport("alice"));
    expect(status.find((one) => one.path === path("alice.crt"))).toMatchObject({ state: "unusable" });
  });
});

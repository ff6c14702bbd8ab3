// Certificates made by OpenSSL as release 0.8.0's script makes them, and OpenSSL's own programs as peers.
import { execFile, execFileSync, spawn } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { toBinary } from "@bufbuild/protobuf";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { auth } from "@daos/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCredential, validateCredential } from "./credential.ts";
import { createGrpcServer, type GrpcServer } from "./grpc-server.ts";
import { grpcCall } from "./testing/index.ts";
import { clientTlsOptions } from "./tls-options.ts";
import type { TransportConfig } from "./transport-config.ts";

const script = join(import.meta.dirname, "../fixtures/make-080-certificates.sh");
let directory = "";
let running: GrpcServer;
let port = 0;

/** Runs openssl with an empty input; not in this thread, which has a server to run. */
async function openssl(...args: string[]): Promise<string> {
  const running = promisify(execFile)("openssl", args);
  running.child.stdin?.end();
  return (await running).stdout;
}

function transport(name: string): TransportConfig {
  return {
    allowInsecure: false,
    serverName: "server",
    clientCertDir: join(directory, "clients"),
    caCert: join(directory, "daosCA.crt"),
    cert: join(directory, `${name}.crt`),
    key: join(directory, `${name}.key`),
  };
}

// Four RSA keys of 4096 bits can take long.
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "daos-080-"));
  await promisify(execFile)("sh", [script, directory]);
  mkdirSync(join(directory, "clients"), { mode: 0o700 });
  copyFileSync(join(directory, "agent.crt"), join(directory, "clients/agent.crt"));
  running = await createGrpcServer({
    transport: transport("server"),
    log: silentLogger,
    handler: (_, response) => {
      response.addTrailers({ "grpc-status": "0" });
      response.end("passed");
    },
  });
  await new Promise<void>((resolve) => running.server.listen(0, "127.0.0.1", resolve));
  port = (running.server.address() as AddressInfo).port;
}, 180_000);
afterAll(async () => {
  await running?.close({ graceMs: 0 });
  rmSync(directory, { recursive: true, force: true });
});

describe("verifyPeer(), given certificates of release 0.8.0:", () => {
  it.each([
    ["admin", "/ctl.MgmtCtl/StorageScan", "0"],
    ["agent", "/mgmt.MgmtSvc/GetAttachInfo", "0"],
    ["agent", "/mgmt.MgmtSvc/PoolDestroy", "7"],
    // Made for serverAuth only: no Go or OpenSSL server takes it from a client.
    ["server", "/mgmt.MgmtSvc/Join", "0"],
    ["server", "/mgmt.MgmtSvc/PoolDestroy", "7"],
  ])("%s calls %s: status %s", async (name, path, status) => {
    expect((await grpcCall(port, await clientTlsOptions(transport(name)), path)).status).toBe(status);
  });

  it("with two common names give no role", async () => {
    const read = (name: string) => readFileSync(join(directory, name));
    const tls = {
      ca: read("daosCA.crt"),
      cert: read("two.crt"),
      key: read("agent.key"),
      servername: "server",
    };
    const answer = await grpcCall(port, tls);
    expect(answer).toMatchObject({
      status: "16",
      text: expect.stringContaining("has the role (none)") as string,
    });
  });

  it("validate a credential that OpenSSL has signed", async () => {
    const credential = createCredential({ user: "alice@", group: "staff@" });
    writeFileSync(join(directory, "token"), toBinary(auth.TokenSchema, credential.token as auth.Token));
    const args = ["dgst", "-sha512", "-sign", join(directory, "agent.key"), join(directory, "token")];
    const signature = new Uint8Array(execFileSync("openssl", args));
    const verifier = { ...(credential.verifier as auth.Token), data: signature };
    const attempt = (data: Uint8Array) =>
      validateCredential(
        { ...credential, verifier: { ...verifier, data } },
        { transport: transport("server") },
      );
    await expect(attempt(signature)).resolves.toBeDefined();
    const key = createPrivateKey(readFileSync(join(directory, "agent.key")));
    expect(
      Buffer.from(createCredential({ user: "alice@", group: "staff@" }, { key }).verifier?.data ?? []),
    ).toEqual(Buffer.from(signature));
    await expect(attempt(signature.with(0, (signature[0] ?? 0) ^ 1))).rejects.toMatchObject({
      code: FaultCode.credentialInvalid,
    });
  });
});

describe("createGrpcServer() and clientTlsOptions(), with OpenSSL as the peer: it", () => {
  it.each(["-tls1_2", "-tls1_3"])("connects to our server with %s", async (version) => {
    const args = [
      ...["s_client", "-connect", `127.0.0.1:${port}`, version, "-alpn", "h2", "-servername", "server"],
      ...["-CAfile", join(directory, "daosCA.crt"), "-verify_return_error", "-verify_hostname", "server"],
      ...["-cert", join(directory, "admin.crt"), "-key", join(directory, "admin.key")],
    ];
    const output = await openssl(...args);
    expect(output).toContain("ALPN protocol: h2");
    expect(output).toContain("Verify return code: 0 (ok)");
  });

  it("cannot connect with TLS 1.1", async () => {
    const args = ["s_client", "-connect", `127.0.0.1:${port}`, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"];
    await expect(openssl(...args)).rejects.toThrow();
  });

  it.each(["-tls1_2", "-tls1_3"])("is a server that our client connects to with %s", async (version) => {
    const server = spawn(
      "openssl",
      [
        ...[
          "s_server",
          "-accept",
          "127.0.0.1:0",
          version,
          "-alpn",
          "h2",
          "-Verify",
          "1",
          "-verify_return_error",
        ],
        ...["-CAfile", join(directory, "daosCA.crt"), "-purpose", "sslclient"],
        ...["-cert", join(directory, "server.crt"), "-key", join(directory, "server.key")],
      ],
      { stdio: ["pipe", "pipe", "ignore"] },
    );
    try {
      const accepted = await new Promise<number>((resolve) => {
        let text = "";
        server.stdout.on("data", (chunk: Buffer) => {
          text += chunk.toString();
          const match = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(text);
          if (match !== null) resolve(Number(match[1]));
        });
      });
      const tls = await clientTlsOptions(transport("admin"));
      const socket = connect({ ...tls, port: accepted, host: "127.0.0.1", ALPNProtocols: ["h2"] });
      await new Promise<void>((resolve, reject) => socket.on("secureConnect", resolve).on("error", reject));
      expect(socket.authorized).toBe(true);
      socket.destroy();
    } finally {
      server.kill();
      await new Promise((resolve) => server.once("close", resolve));
    }
  });
});

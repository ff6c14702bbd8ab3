import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import type { HostAddress } from "@daos/hostlist";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ControlClient } from "./control-client.ts";
import { MgmtClient } from "./mgmt-client.ts";
import { systemQuery } from "./system-query.ts";

let directory: string;
let server: ChildProcess;
let host: HostAddress;
let tls: { readonly ca: string; readonly cert: string; readonly key: string };

/** A self-signed certificate for 127.0.0.1. */
async function selfSigned(name: string) {
  const [key, cert] = [join(directory, `${name}.key`), join(directory, `${name}.crt`)];
  const args = [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
    ...["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
  ];
  execFileSync("openssl", args, { stdio: "ignore" });
  return { cert: await readFile(cert, "utf8"), key: await readFile(key, "utf8") };
}

// As in servers of release 0.8.0: the TLS library refuses the client after the handshake of TLS 1.3, with an alert.
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-refused-"));
  const [own, other] = [await selfSigned("server"), await selfSigned("stranger")];
  const files = ["-cert", join(directory, "server.crt"), "-key", join(directory, "server.key")];
  const verify = ["-CAfile", join(directory, "server.crt"), "-Verify", "1", "-verify_return_error"];
  const args = ["s_server", "-accept", "127.0.0.1:0", ...files, ...verify, "-tls1_3", "-alpn", "h2"];
  server = spawn("openssl", args, { stdio: ["pipe", "pipe", "ignore"] });
  let output = "";
  for await (const chunk of server.stdout ?? []) {
    output += chunk;
    const port = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(output)?.[1];
    if (port === undefined) continue;
    host = { host: "127.0.0.1", port: Number(port) };
    break;
  }
  tls = { ...other, ca: own.cert };
});
afterAll(async () => {
  server.kill("SIGKILL");
  await rm(directory, { recursive: true });
});

describe("a client certificate that is refused under TLS 1.3", () => {
  it("ControlClient.leader() reports the certificate, not a slow host", async () => {
    const client = new ControlClient({ hosts: [host], tls });
    await expect(systemQuery(client)).rejects.toMatchObject({ code: FaultCode.certificateRefused });
  });

  it("MgmtClient.startRank() reports the certificate, not a slow host", async () => {
    const client = new MgmtClient(async () => tls);
    const starting = client.startRank(host, 1, { signal: AbortSignal.timeout(40_000) });
    await expect(starting).rejects.toMatchObject({ code: FaultCode.certificateRefused });
  });
});

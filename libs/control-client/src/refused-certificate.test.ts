import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fault, FaultCode } from "@daos/fault";
import type { HostAddress } from "@daos/hostlist";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ControlClient } from "./control-client.ts";
import { MgmtClient } from "./mgmt-client.ts";
import { systemQuery } from "./system-query.ts";

let directory: string;
const servers: ChildProcess[] = [];
const hosts = new Map<string, HostAddress>();
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

/** A server that knows no client certificate but its own. It refuses the others with an alert of its TLS library. */
async function serve(version: string): Promise<HostAddress> {
  const files = ["-cert", join(directory, "server.crt"), "-key", join(directory, "server.key")];
  const verify = ["-CAfile", join(directory, "server.crt"), "-Verify", "1", "-verify_return_error"];
  const args = ["s_server", "-accept", "127.0.0.1:0", ...files, ...verify, version, "-alpn", "h2"];
  const server = spawn("openssl", args, { stdio: ["pipe", "pipe", "ignore"] });
  servers.push(server);
  let output = "";
  for await (const chunk of server.stdout) {
    output += chunk;
    const port = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(output)?.[1];
    if (port !== undefined) return { host: "127.0.0.1", port: Number(port) };
  }
  throw new Error(`openssl s_server ended: ${output}`);
}

/** A server that refuses every client as release 0.8.0 refuses a certificate that it does not accept: bad_certificate. */
async function serveAlert(): Promise<HostAddress> {
  const listener = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(Buffer.from([0x15, 3, 3, 0, 2, 2, 42])));
  });
  listener.listen(0, "127.0.0.1").unref();
  await once(listener, "listening");
  return { host: "127.0.0.1", port: (listener.address() as AddressInfo).port };
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-refused-"));
  const [own, other] = [await selfSigned("server"), await selfSigned("stranger")];
  tls = { ...other, ca: own.cert };
  hosts.set("TLS 1.2", await serve("-tls1_2"));
  // Here the refusal comes after the client's handshake is done.
  hosts.set("TLS 1.3", await serve("-tls1_3"));
  hosts.set("release 0.8.0", await serveAlert());
});
afterAll(async () => {
  for (const server of servers) server.kill("SIGKILL");
  await rm(directory, { recursive: true });
});

/** The fault of a call, which must come long before the time to connect has passed. */
async function quickFault(call: Promise<unknown>): Promise<Fault> {
  const start = performance.now();
  const fault = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(performance.now() - start).toBeLessThan(4_000);
  expect(fault).toBeInstanceOf(Fault);
  return fault as Fault;
}

describe.each(["TLS 1.2", "TLS 1.3", "release 0.8.0"])("a client certificate refused by %s", (name) => {
  const host = () => hosts.get(name) as HostAddress;
  const refused = {
    code: FaultCode.certificateRefused,
    message: expect.stringMatching(
      /: the server refuses the certificate \(TLS alert: (?:unknown ca|bad certificate)\)$/,
    ),
  };

  it("ControlClient.leader() reports the certificate at once", async () => {
    const client = new ControlClient({ hosts: [host()], tls });
    expect(await quickFault(systemQuery(client))).toMatchObject(refused);
  });

  it("MgmtClient.startRank() reports the certificate at once", async () => {
    const client = new MgmtClient(async () => tls);
    const starting = client.startRank(host(), 1, { signal: AbortSignal.timeout(40_000) });
    expect(await quickFault(starting)).toMatchObject(refused);
  });
});

import { execFileSync } from "node:child_process";
import {
  copyFileSync,
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
import { loadIdentity } from "../load-identity.ts";
import { roleOf, userOf } from "../role.ts";
import { initCa, requestCertificate, signRequest } from "./index.ts";

let home = "";
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "daos-csr-"));
  await initCa({ directory: join(home, "ca") });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const host = () => join(home, "host");
const sign = (request: string, role: "server" | "admin" | "agent", more: { readonly name?: string } = {}) =>
  signRequest({ directory: join(home, "ca"), request, role, ...more });

function openssl(...args: string[]): string {
  return execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** A request made by OpenSSL. */
function foreign(subject: string, ...args: string[]): string {
  const path = join(home, "foreign.csr");
  const how = args.length === 0 ? ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] : args;
  openssl(
    "req",
    "-new",
    "-nodes",
    ...how,
    "-keyout",
    join(home, "foreign.key"),
    "-subj",
    subject,
    "-out",
    path,
  );
  return path;
}

describe("requestCertificate() and signRequest()", () => {
  it.each([
    ["server", { names: ["node7"] }, "DNS:server, DNS:node7", undefined],
    ["admin", { name: "alice" }, undefined, "alice"],
    ["agent", { keyType: "ecdsa" }, undefined, undefined],
  ] as const)(
    "make a certificate of the role %s whose key never travels",
    async (role, more, names, user) => {
      const { request, key, cert } = await requestCertificate({ role, output: host(), ...more });
      expect(statSync(key).mode & 0o777).toBe(0o400);
      expect(readdirSync(host()).sort()).toEqual(
        [request, key].map((path) => path.slice(host().length + 1)).sort(),
      );
      // Ours is a request for others, too.
      openssl("req", "-in", request, "-noout", "-verify");

      const signed = await sign(request, role);
      expect(signed.certificate.subjectAltName).toBe(names);
      expect([roleOf(signed.certificate), userOf(signed.certificate)]).toEqual([role, user]);
      expect(signed.client !== undefined).toBe(role === "agent");
      copyFileSync(signed.cert, cert);
      copyFileSync(join(home, "ca/certs/daosCA.crt"), join(host(), "daosCA.crt"));
      const identity = await loadIdentity(
        { caCert: join(host(), "daosCA.crt"), cert, key },
        { roles: [role] },
      );
      expect(identity.certificate.fingerprint256).toBe(signed.certificate.fingerprint256);
    },
  );

  it("take a request that OpenSSL made, with the names that it asks for", async () => {
    const request = foreign(
      "/O=DAOS/CN=server",
      "-newkey",
      "rsa:3072",
      "-addext",
      "subjectAltName=DNS:node7,DNS:node8",
    );
    const { certificate } = await sign(request, "server", { name: "node7" });
    expect(certificate.subjectAltName).toBe("DNS:server, DNS:node7, DNS:node8");
  });

  it("never replace a key or a certificate", async () => {
    const { request } = await requestCertificate({ role: "server", output: host() });
    const exists = { code: FaultCode.certificateAuthorityExists };
    await expect(requestCertificate({ role: "server", output: host() })).rejects.toMatchObject(exists);
    await sign(request, "server");
    await expect(sign(request, "server")).rejects.toMatchObject(exists);
  });
});

it("requestCertificate() replaces a request that a failure has left without its key", async () => {
  const { request, key } = await requestCertificate({ role: "server", output: host() });
  const before = readFileSync(request, "utf8");
  rmSync(key);
  await requestCertificate({ role: "server", output: host() });
  expect(readFileSync(request, "utf8")).not.toBe(before);
  expect((await sign(request, "server")).cert).toContain("server.crt");
});

describe("signRequest() refuses", () => {
  const unusable = FaultCode.certificateRequestUnusable;
  it.each([
    ["another role", () => foreign("/O=DAOS/CN=admin"), unusable, /asks for the role "admin", not server/],
    ["no role", () => foreign("/O=DAOS"), unusable, /asks for the role ""/],
    [
      "a weak key",
      () => foreign("/O=DAOS/CN=server", "-newkey", "rsa:1024"),
      FaultCode.certificateTooWeak,
      /1024 bits/,
    ],
    [
      "a key of another kind",
      () => foreign("/O=DAOS/CN=server", "-newkey", "ed25519"),
      unusable,
      /1\.3\.101\.112/,
    ],
    [
      "an invalid name",
      () => foreign("/O=DAOS/CN=server", "-newkey", "rsa:2048", "-addext", "subjectAltName=DNS:*.example"),
      FaultCode.usage,
      /\*\.example/,
    ],
    ["what was changed", () => changed(), unusable, /signature is not of the key/],
    ["two requests", () => written((text) => text + text), unusable, /more than one PEM block/],
    ["a certificate", () => join(home, "ca/certs/daosCA.crt"), unusable, /no PEM block/],
    ["what is cut off", () => written((text) => text.replace(/(.{64}\n){3}/, "")), unusable, /./],
    ["a large file", () => written((text) => text.padEnd(70_000)), unusable, /at most 65536 bytes/],
    ["a directory", () => home, unusable, /EISDIR|not a regular file/],
    ["what is not there", () => join(home, "none.csr"), unusable, /ENOENT/],
  ] as const)("%s", async (_, request, code, reason) => {
    const error = (await sign(request(), "server", { name: "x" }).catch((fault: unknown) => fault)) as Error;
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(reason);
    expect(readdirSync(join(home, "ca/certs")).sort()).toEqual(["clients", "daosCA.crt"]);
  });

  function written(change: (text: string) => string): string {
    const path = foreign("/O=DAOS/CN=server");
    writeFileSync(path, change(readFileSync(path, "utf8")));
    return path;
  }

  /** The name that is asked for is another one than what was signed. */
  function changed(): string {
    return written((text) => {
      const der = Buffer.from(text.replaceAll(/-----.*?-----|\n/g, ""), "base64");
      der.write("DAOT", der.indexOf("DAOS"));
      return `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
    });
  }
});

// Every combination of validity, CA, role, usage, key and file mode, on both ends of a connection and in the files of
// both programs, with the message that an operator gets to see.
import { readFileSync } from "node:fs";
import { createSecureServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { FaultCode, toFault } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { explainTlsError } from "./explain-tls-error.ts";
import { createGrpcServer, type GrpcServer } from "./grpc-server.ts";
import { loadIdentity } from "./load-identity.ts";
import type { Role } from "./role.ts";
import {
  grpcCall,
  inDays,
  TestAuthority,
  type TestCertificate,
  TestCertificateFiles,
  testKeys,
} from "./testing/index.ts";
import { identityClientOptions } from "./tls-options.ts";
import { CLIENT_AUTH, SERVER_AUTH } from "./verify-certificate.ts";

const VALIDITY = {
  valid: { notBefore: inDays(-1), notAfter: inDays(300) },
  expired: { notBefore: inDays(-30), notAfter: inDays(-1) },
  "not yet valid": { notBefore: inDays(1), notAfter: inDays(300) },
} as const;
const KEYS = { ec: testKeys("ec"), rsa: testKeys("rsa") } as const;
const NAMES = ["server", "admin", "agent", "alice"] as const;

const ours = new TestAuthority();
const AUTHORITIES = {
  "our CA": ours,
  // Has the name of our CA, but another key.
  "a lookalike CA": new TestAuthority(),
  "another CA": new TestAuthority({ subject: { organization: "DAOS", commonName: "Other CA" } }),
} as const;

interface Cell {
  readonly validity: keyof typeof VALIDITY;
  readonly ca: keyof typeof AUTHORITIES;
  readonly name: (typeof NAMES)[number];
  readonly key: keyof typeof KEYS;
}

function cells(): Cell[] {
  const list: Cell[] = [];
  for (const ca of Object.keys(AUTHORITIES) as Cell["ca"][]) {
    for (const validity of Object.keys(VALIDITY) as Cell["validity"][]) {
      for (const name of NAMES) {
        for (const key of Object.keys(KEYS) as Cell["key"][]) list.push({ validity, ca, name, key });
      }
    }
  }
  return list;
}

function certificateOf({ validity, ca, name, key }: Cell): TestCertificate {
  return AUTHORITIES[ca].issue(name, { ...VALIDITY[validity], keys: KEYS[key] });
}

/** Code and text, or `undefined` for a certificate that must pass. */
type Expected = readonly [code: number, text: string | RegExp] | undefined;

/** The first of: wrong CA, dates, role. */
function expectedFromUs(cell: Cell, roles: readonly string[]): Expected {
  if (cell.ca === "a lookalike CA") return [FaultCode.certificateWrongAuthority, "but another key signed it"];
  if (cell.ca === "another CA")
    return [FaultCode.certificateWrongAuthority, "its issuer is O=DAOS, CN=Other CA"];
  if (cell.validity === "expired")
    return [FaultCode.certificateExpired, /\(O=DAOS, CN=\w+\).* expired on 2\d{3}-/];
  if (cell.validity === "not yet valid")
    return [FaultCode.certificateNotYetValid, /is not valid before 2\d{3}-/];
  if (!roles.includes(cell.name)) {
    return [
      FaultCode.certificateWrongRole,
      `has the role "${cell.name}", but ${roles.join(" or ")} is needed`,
    ];
  }
  return undefined;
}

/** OpenSSL reports the last error that it finds: dates, then the CA, then the usage. */
function expectedFromOpenSsl(cell: Cell): Expected {
  if (cell.validity === "expired") return [FaultCode.certificateExpired, "presented by node1 has expired"];
  if (cell.validity === "not yet valid") return [FaultCode.certificateNotYetValid, "is not valid before now"];
  if (cell.ca === "a lookalike CA") return [FaultCode.certificateWrongAuthority, "another key signed it"];
  if (cell.ca === "another CA") return [FaultCode.certificateWrongAuthority, "its issuer is unknown"];
  if (cell.name !== "server") return [FaultCode.certificateWrongRole, "does not allow it to act as a server"];
  return undefined;
}

function check(outcome: unknown, expected: Expected): void {
  if (expected === undefined) {
    expect(outcome).toBe("passed");
    return;
  }
  const fault = toFault(outcome);
  expect(fault.message).toMatch(expected[1]);
  expect(fault.code).toBe(expected[0]);
  expect(fault.resolution).not.toBe("");
}

let counted = 0;
function counting(list: readonly Cell[]): readonly Cell[] {
  counted += list.length;
  return list;
}

describe("verifyPeer(), given a client's certificate:", () => {
  let files: TestCertificateFiles;
  let running: GrpcServer;
  let port = 0;
  beforeAll(async () => {
    files = new TestCertificateFiles();
    running = await createGrpcServer({
      transport: files.transport("server", ours.pem, ours.issue("server")),
      log: silentLogger,
      handler: (_, response) => {
        response.addTrailers({ "grpc-status": "0" });
        response.end("passed");
      },
    });
    await new Promise<void>((resolve) => running.server.listen(0, "127.0.0.1", resolve));
    port = (running.server.address() as AddressInfo).port;
  });
  afterAll(async () => {
    await running.close({ graceMs: 0 });
    files[Symbol.dispose]();
  });

  it.each(counting(cells()))("$ca, $validity, $name, $key", async (cell) => {
    const { certPem, keyPem } = certificateOf(cell);
    const path = cell.name === "server" ? "/mgmt.MgmtSvc/Join" : "/mgmt.MgmtSvc/LeaderQuery";
    const tls = { ca: ours.pem, cert: certPem, key: keyPem, servername: "server" };
    const { status, text } = await grpcCall(port, tls, path);
    const expected = expectedFromUs(cell, ["server", "admin", "agent"]);
    if (expected === undefined) expect([status, text]).toEqual(["0", "passed"]);
    else {
      expect(status).toBe("16");
      expect(text).toMatch(expected[1]);
      expect(text).toContain(`security: code = ${expected[0]} description = `);
      expect(text).toContain(" resolution = ");
    }
  });
});

describe("clientTlsOptions(), given a server's certificate:", () => {
  it.each(counting(cells()))("$ca, $validity, $name, $key", async (cell) => {
    const { certPem, keyPem } = certificateOf(cell);
    const outcome = await callServerWith(certPem, keyPem);
    check(outcome, expectedFromOpenSsl(cell));
  });

  it.each<[string, string, string[] | undefined, string[] | undefined, Expected]>([
    ["release 0.8.0's", "server", undefined, [SERVER_AUTH], undefined],
    ["ours", "server", ["server"], [SERVER_AUTH, CLIENT_AUTH], undefined],
    ["without usages", "server", undefined, undefined, undefined],
    [
      "another alternative name",
      "server",
      ["node2"],
      [SERVER_AUTH],
      [FaultCode.certificateWrongName, 'is for DNS:node2, and not for "server"'],
    ],
    [
      "another common name",
      "node2",
      undefined,
      [SERVER_AUTH],
      [FaultCode.certificateWrongName, 'is for CN:node2, and not for "server"'],
    ],
    [
      "an agent that calls itself server",
      "agent",
      ["server"],
      [SERVER_AUTH, CLIENT_AUTH],
      [FaultCode.certificateWrongRole, 'has the role "agent", but server is needed'],
    ],
    [
      "an admin that calls itself server",
      "admin",
      ["server"],
      undefined,
      [FaultCode.certificateWrongRole, 'has the role "admin", but server is needed'],
    ],
    ["a wildcard", "server", ["*"], undefined, [FaultCode.certificateWrongName, "is for DNS:*"]],
  ])("%s", async (_, name, dnsNames, extendedKeyUsage, expected) => {
    counted++;
    const { certPem, keyPem } = ours.issue(name, { dnsNames, extendedKeyUsage });
    const outcome = await callServerWith(certPem, keyPem);
    check(outcome, expected);
  });
});

describe.each<[string, readonly Role[]]>([
  ["server", ["server"]],
  ["client", ["admin", "server", "agent"]],
])("loadIdentity(), given the files of a %s:", (_, roles) => {
  let files: TestCertificateFiles;
  beforeAll(() => {
    files = new TestCertificateFiles();
  });
  afterAll(() => files[Symbol.dispose]());

  it.each(counting(cells()))("$ca, $validity, $name, $key", async (cell) => {
    const transport = files.transport("own", ours.pem, certificateOf(cell));
    const outcome: unknown = await loadIdentity(transport, { roles }).then(
      () => "passed",
      (error: unknown) => error,
    );
    check(outcome, expectedFromUs(cell, roles));
    if (outcome !== "passed") expect(toFault(outcome).message).toContain(transport.cert);
  });

  const modes = [0o400, 0o440, 0o600, 0o604, 0o640, 0o644, 0o660, 0o664, 0o666, 0o700, 0o755, 0o777];
  const opens = (["caCert", "cert", "key"] as const).flatMap((file) =>
    modes.map((mode) => ({ file, mode, octal: mode.toString(8) })),
  );
  counted += opens.length;
  it.each(opens)("$file with mode $octal", async ({ file, mode, octal }) => {
    const transport = files.transport("own", ours.pem, ours.issue("server"));
    const name = { caCert: "own-ca.crt", cert: "own.crt", key: "own.key" }[file];
    files.write(name, readFileSync(transport[file], "utf8"), mode);
    const outcome: unknown = await loadIdentity(transport, { roles }).then(
      () => "passed",
      (error: unknown) => error,
    );
    const most = file === "key" ? 0o700 : 0o664;
    const safe = (mode & ~most) === 0;
    check(
      outcome,
      safe
        ? undefined
        : [FaultCode.securityFileMode, `${transport[file]} is too open: its mode is 0${octal}`],
    );
    if (!safe)
      expect(toFault(outcome).resolution).toBe(`run: chmod 0${(mode & most).toString(8)} ${transport[file]}`);
  });

  it.each([
    ["a weak RSA key", { keys: testKeys("rsa-1024") }, "its RSA key has 1024 bits"],
    ["an Ed25519 key", { keys: testKeys("ed25519") }, "its key is of the type ed25519"],
    ["SHA-1", { hash: "sha1" }, "it is signed with ecdsa-with-SHA1"],
  ] as const)("%s", async (_name, options, reason) => {
    counted++;
    const transport = files.transport("own", ours.pem, ours.issue("server", options));
    const outcome: unknown = await loadIdentity(transport, { roles }).then(
      () => "passed",
      (error: unknown) => error,
    );
    check(outcome, [FaultCode.certificateTooWeak, reason]);
  });

  it("missing, of another key, encrypted, swapped, not PEM", async () => {
    const own = ours.issue("server");
    const transport = files.transport("own", ours.pem, own);
    const attempt = () => loadIdentity(transport, { roles });
    files.write("own.key", ours.issue("server").keyPem, 0o400);
    await expect(attempt()).rejects.toMatchObject({
      code: FaultCode.securityKeyMismatch,
      description: `the private key ${transport.key} does not belong to the certificate ${transport.cert}`,
    });
    const cipher = { cipher: "aes-256-cbc", passphrase: "x", type: "pkcs8", format: "pem" } as const;
    files.write("own.key", own.keys.privateKey.export(cipher).toString(), 0o400);
    await expect(attempt()).rejects.toThrow("it is encrypted with a passphrase");
    files.write("own.key", own.certPem, 0o400);
    await expect(attempt()).rejects.toThrow("it is no private key in PEM form");
    files.write("own.crt", "hello");
    await expect(attempt()).rejects.toThrow("there is no PEM block CERTIFICATE in it");
    files.write("own.crt", own.certPem.replace(/\n[^\n]{10}/, "\nAAAAAAAAAA"));
    await expect(attempt()).rejects.toMatchObject({ code: FaultCode.securityFileMalformed });
    for (const file of ["caCert", "cert", "key"] as const) {
      const gone = { ...files.transport("own", ours.pem, own), [file]: `${files.directory}/none` };
      await expect(loadIdentity(gone, { roles })).rejects.toMatchObject({
        code: FaultCode.securityFileMissing,
        description: expect.stringContaining(`${files.directory}/none does not exist`) as string,
      });
    }
  });
});

it("has at least 250 cells", () => {
  expect(counted).toBeGreaterThanOrEqual(250);
});

/** What a client of ours makes of a TLS server with a certificate that no guard has looked at. */
async function callServerWith(cert: string, key: string): Promise<unknown> {
  const server = createSecureServer({ cert, key, ca: ours.pem, requestCert: true }, (_, response) =>
    response.end("passed"),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const admin = ours.issue("admin");
  const identity = {
    authorities: [ours.certificate],
    certificate: admin.certificate,
    key: admin.keys.privateKey,
    pem: { ca: ours.pem, cert: admin.certPem, key: admin.keyPem },
  };
  try {
    return (await grpcCall(port, identityClientOptions(identity, "server"))).text;
  } catch (error) {
    return explainTlsError(error, { side: "client", peer: "node1" });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

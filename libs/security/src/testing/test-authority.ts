import { generateKeyPairSync, type KeyObject, type X509Certificate } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildCertificate, type CertificateContent } from "../ca/build-certificate.ts";
import type { TransportConfig } from "../transport-config.ts";
import { CLIENT_AUTH, SERVER_AUTH } from "../verify-certificate.ts";

/** Keys of the tests. RSA is 2048 bits long here, for speed: 0.8.0's own keys have 4096. */
export type TestKeyType = "ec" | "rsa" | "rsa-1024" | "ed25519";

export interface TestKeys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const DAY = 24 * 3600 * 1000;

export function testKeys(type: TestKeyType = "ec"): TestKeys {
  switch (type) {
    case "ec":
      return generateKeyPairSync("ec", { namedCurve: "P-256" });
    case "rsa":
      return generateKeyPairSync("rsa", { modulusLength: 2048 });
    case "rsa-1024":
      return generateKeyPairSync("rsa", { modulusLength: 1024 });
    case "ed25519":
      return generateKeyPairSync("ed25519");
    default:
      return type satisfies never;
  }
}

/** `days` from now, which may be negative. */
export function inDays(days: number): Date {
  return new Date(Date.now() + days * DAY);
}

/** How a test certificate differs from a good one. */
export interface TestCertificateOptions extends Partial<CertificateContent> {
  readonly keys?: TestKeys;
}

export interface TestCertificate {
  readonly certificate: X509Certificate;
  readonly keys: TestKeys;
  readonly certPem: string;
  readonly keyPem: string;
}

/** A CA that issues whatever a test needs, good or bad. */
export class TestAuthority {
  readonly keys: TestKeys;
  readonly certificate: X509Certificate;

  constructor(options: TestCertificateOptions = {}) {
    const { keys = testKeys(), ...content } = options;
    this.keys = keys;
    this.certificate = buildCertificate(
      {
        subject: { organization: "DAOS", commonName: "DAOS CA" },
        publicKey: keys.publicKey,
        notBefore: inDays(-1000),
        notAfter: inDays(1000),
        basicConstraints: { ca: true, pathLength: 1 },
        keyUsage: ["digitalSignature", "nonRepudiation", "keyEncipherment", "keyCertSign"],
        ...content,
      },
      { key: keys.privateKey },
    );
  }

  /** A certificate as release 0.8.0's script makes it: common name, one usage, no alternative name. */
  issue(commonName: string, options: TestCertificateOptions = {}): TestCertificate {
    const { keys = testKeys(), ...content } = options;
    const certificate = buildCertificate(
      {
        subject: { organization: "DAOS", commonName },
        publicKey: keys.publicKey,
        notBefore: inDays(-1),
        notAfter: inDays(365),
        keyUsage: ["digitalSignature", "keyEncipherment"],
        extendedKeyUsage: [commonName === "server" ? SERVER_AUTH : CLIENT_AUTH],
        hash: "sha512",
        ...content,
      },
      { certificate: this.certificate, key: this.keys.privateKey },
    );
    const keyPem = keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    return { certificate, keys, certPem: certificate.toString(), keyPem };
  }

  get pem(): string {
    return this.certificate.toString();
  }
}

/** A directory of certificate files that goes away with `dispose`. */
export class TestCertificateFiles implements Disposable {
  readonly directory: string = mkdtempSync(join(tmpdir(), "daos-security-"));

  /** Writes the files of one program and gives its transport configuration. */
  transport(name: string, ca: string, own: Pick<TestCertificate, "certPem" | "keyPem">): TransportConfig {
    return {
      allowInsecure: false,
      serverName: "server",
      clientCertDir: join(this.directory, "clients"),
      caCert: this.write(`${name}-ca.crt`, ca),
      cert: this.write(`${name}.crt`, own.certPem),
      key: this.write(`${name}.key`, own.keyPem, 0o400),
    };
  }

  /** The directory of the agents' certificates, with one in it. */
  client(origin: string, certPem: string): string {
    const directory = join(this.directory, "clients");
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return this.write(join("clients", `${origin}.crt`), certPem);
  }

  write(name: string, content: string, mode = 0o644): string {
    const path = join(this.directory, name);
    rmSync(path, { force: true });
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

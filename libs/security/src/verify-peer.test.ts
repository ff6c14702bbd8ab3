import type { X509Certificate } from "node:crypto";
import { FaultCode } from "@daos/fault";
import { describe, expect, it } from "vitest";
import { buildCertificate } from "./ca/index.ts";
import { inDays, TestAuthority, testKeys } from "./testing/index.ts";
import { CLIENT_AUTH, SERVER_AUTH } from "./verify-certificate.ts";
import { verifyPeer } from "./verify-peer.ts";

const ca = new TestAuthority();
const authorities = [ca.certificate];
const keys = testKeys();
const now = new Date();

function verify(
  certificate: X509Certificate | undefined,
  trusted: readonly X509Certificate[] = authorities,
  at = now,
) {
  const verdict = verifyPeer(certificate, { authorities: trusted, peer: "10.0.0.7", now: at });
  return verdict.kind === "accepted" ? verdict.role : [verdict.fault.code, verdict.fault.message];
}

/** A certificate signed by the key of another certificate, which may be no CA at all. */
function issuedBy(issuer: X509Certificate, issuerKeys: typeof keys, commonName = "server", isCa = false) {
  return buildCertificate(
    {
      subject: { organization: "DAOS", commonName },
      publicKey: keys.publicKey,
      notBefore: inDays(-1),
      notAfter: inDays(100),
      basicConstraints: { ca: isCa },
      extendedKeyUsage: [SERVER_AUTH, CLIENT_AUTH],
    },
    { certificate: issuer, key: issuerKeys.privateKey },
  );
}

describe("verifyPeer accepts", () => {
  it.each([
    ["a server of release 0.8.0, made for serverAuth only", "server", [SERVER_AUTH]],
    ["a server of ours", "server", [SERVER_AUTH, CLIENT_AUTH]],
    ["an administrator of release 0.8.0", "admin", [CLIENT_AUTH]],
    ["an agent of release 0.8.0", "agent", [CLIENT_AUTH]],
    ["a certificate for every use", "admin", undefined],
  ] as const)("%s", (_, role, extendedKeyUsage) => {
    expect(verify(ca.issue(role, { keys, extendedKeyUsage }).certificate)).toBe(role);
  });

  it("both CAs while one replaces the other, even under one name", () => {
    const next = new TestAuthority();
    const both = [ca.certificate, next.certificate];
    expect(verify(ca.issue("admin").certificate, both)).toBe("admin");
    expect(verify(next.issue("admin").certificate, both)).toBe("admin");
  });

  it("RSA keys and CAs with RSA", () => {
    const rsa = new TestAuthority({ keys: testKeys("rsa"), hash: "sha512" });
    expect(verify(rsa.issue("agent", { keys: testKeys("rsa") }).certificate, [rsa.certificate])).toBe(
      "agent",
    );
  });
});

describe("verifyPeer refuses", () => {
  const { certificateWrongAuthority, certificateWrongRole, certificateExpired, certificateNotYetValid } =
    FaultCode;

  it("a client without certificate", () => {
    expect(verify(undefined)).toEqual([
      FaultCode.certificateMissing,
      "10.0.0.7 presented no client certificate",
    ]);
  });

  it.each(["admin", "agent"])("the role %s with a server's usage only", (role) => {
    const { certificate } = ca.issue(role, { keys, extendedKeyUsage: [SERVER_AUTH] });
    expect(verify(certificate)).toEqual([
      certificateWrongRole,
      expect.stringContaining("its extended key usage does not allow it to act as a client"),
    ]);
  });

  it("a server with a usage that is neither", () => {
    const { certificate } = ca.issue("server", { keys, extendedKeyUsage: ["1.3.6.1.5.5.7.3.3"] });
    expect(verify(certificate)).toEqual([certificateWrongRole, expect.any(String)]);
  });

  it.each([
    "Server",
    "server ",
    "admin\0",
    "root",
    "",
    "servers",
    "DAOS CA",
    "admin,server",
    "x\nCN=admin",
    "admin\n",
    "admin + CN=server",
    "\\61dmin",
    "*",
  ])("the common name %j", (name) => {
    expect(verify(ca.issue(name, { keys }).certificate)).toEqual([certificateWrongRole, expect.any(String)]);
  });

  it("a certificate that signed itself, also under the CA's name", () => {
    for (const commonName of ["server", "DAOS CA"]) {
      const content = { subject: { organization: "DAOS", commonName }, publicKey: keys.publicKey };
      const dates = { notBefore: inDays(-1), notAfter: inDays(1) };
      const certificate = buildCertificate({ ...content, ...dates }, { key: keys.privateKey });
      expect(verify(certificate)).toEqual([certificateWrongAuthority, expect.any(String)]);
    }
  });

  it("a lookalike: the right issuer's name, signed by another key", () => {
    expect(verify(new TestAuthority().issue("server").certificate)).toEqual([
      certificateWrongAuthority,
      expect.stringContaining("it names O=DAOS, CN=DAOS CA as its issuer, but another key signed it"),
    ]);
  });

  it("a lookalike of another key type, and with the CA's own key identifier", () => {
    const lookalike = new TestAuthority({ keys: testKeys("rsa"), hash: "sha512" });
    expect(verify(lookalike.issue("server").certificate)).toEqual([
      certificateWrongAuthority,
      expect.any(String),
    ]);
  });

  it("a certificate that another certificate of the CA signed, though it is no CA", () => {
    const admin = ca.issue("admin", { keyUsage: undefined });
    expect(verify(issuedBy(admin.certificate, admin.keys))).toEqual([
      certificateWrongAuthority,
      expect.any(String),
    ]);
    // The same when that certificate is among the authorities.
    expect(verify(issuedBy(admin.certificate, admin.keys), [ca.certificate, admin.certificate])).toEqual([
      certificateWrongAuthority,
      expect.stringContaining("is not the certificate of a CA"),
    ]);
  });

  it("a leaf that carries the CA's name and signs in its place", () => {
    const impostor = ca.issue("DAOS CA");
    expect(verify(issuedBy(impostor.certificate, impostor.keys))).toEqual([
      certificateWrongAuthority,
      expect.any(String),
    ]);
  });

  it("a certificate of an intermediate CA, which is not configured", () => {
    const middleKeys = testKeys();
    const middle = buildCertificate(
      {
        subject: { organization: "DAOS", commonName: "Middle" },
        publicKey: middleKeys.publicKey,
        notBefore: inDays(-1),
        notAfter: inDays(100),
        basicConstraints: { ca: true },
      },
      { certificate: ca.certificate, key: ca.keys.privateKey },
    );
    const leaf = issuedBy(middle, middleKeys);
    expect(verify(leaf)).toEqual([
      certificateWrongAuthority,
      expect.stringContaining("its issuer is O=DAOS, CN=Middle"),
    ]);
    // Configured, it is an authority like any other.
    expect(verify(leaf, [middle])).toBe("server");
  });

  it("an authority without basic constraints, or whose constraints say it is none", () => {
    for (const basicConstraints of [undefined, { ca: false }]) {
      const weak = new TestAuthority({ basicConstraints });
      expect(verify(weak.issue("server").certificate, [weak.certificate])).toEqual([
        certificateWrongAuthority,
        expect.any(String),
      ]);
    }
  });

  it("the certificate of the CA itself, whatever its name", () => {
    expect(verify(ca.certificate)).toEqual([
      certificateWrongAuthority,
      expect.stringContaining("the CA itself"),
    ]);
    const named = new TestAuthority({ subject: { organization: "DAOS", commonName: "server" } });
    expect(verify(named.certificate, [named.certificate])).toEqual([
      certificateWrongAuthority,
      expect.any(String),
    ]);
  });

  it("everything, when there is no authority", () => {
    expect(verify(ca.issue("admin").certificate, [])).toEqual([
      certificateWrongAuthority,
      expect.any(String),
    ]);
  });

  it("an expired or future certificate, to the second", () => {
    const notBefore = new Date("2026-01-01T00:00:00Z");
    const notAfter = new Date("2026-06-01T00:00:00Z");
    const { certificate } = ca.issue("admin", { keys, notBefore, notAfter });
    const at = (text: string) => verify(certificate, authorities, new Date(text));
    expect(at("2025-12-31T23:59:59Z")).toEqual([certificateNotYetValid, expect.any(String)]);
    expect(at("2026-01-01T00:00:00Z")).toBe("admin");
    expect(at("2026-06-01T00:00:00Z")).toBe("admin");
    expect(at("2026-06-01T00:00:01Z")).toEqual([
      certificateExpired,
      expect.stringContaining("2026-06-01T00:00:00.000Z"),
    ]);
    expect(verify(certificate, authorities, new Date(Number.NaN))).toEqual([
      certificateExpired,
      expect.any(String),
    ]);
  });

  it("a good certificate of an expired or future CA", () => {
    for (const [dates, code] of [
      [{ notBefore: inDays(-20), notAfter: inDays(-1) }, certificateExpired],
      [{ notBefore: inDays(1), notAfter: inDays(20) }, certificateNotYetValid],
    ] as const) {
      const old = new TestAuthority(dates);
      expect(verify(old.issue("admin").certificate, [old.certificate])).toEqual([
        code,
        expect.stringContaining("DAOS CA"),
      ]);
    }
  });

  it.each([
    ["an RSA key of 1024 bits", { keys: testKeys("rsa-1024") }],
    ["a signature with SHA-1", { hash: "sha1" }],
    ["an Ed25519 key", { keys: testKeys("ed25519") }],
  ] as const)("%s", (_, options) => {
    expect(verify(ca.issue("admin", options).certificate)).toEqual([
      FaultCode.certificateTooWeak,
      expect.any(String),
    ]);
  });
});

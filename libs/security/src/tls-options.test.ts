import type { X509Certificate } from "node:crypto";
import type { PeerCertificate } from "node:tls";
import { FaultCode } from "@daos/fault";
import { describe, expect, it, vi } from "vitest";
import { TestAuthority } from "./testing/index.ts";
import { identityClientOptions } from "./tls-options.ts";

const ca = new TestAuthority();
const admin = ca.issue("admin");
const good = ca.issue("server").certificate;
const revoked = ca.issue("server").certificate;

/** The check of a client that trusts the CA, with the list on which it looks certificates up. */
function client() {
  const revokedAt = vi.fn((certificate: X509Certificate) =>
    certificate.serialNumber === revoked.serialNumber ? new Date(0) : undefined,
  );
  const { checkServerIdentity } = identityClientOptions(
    {
      authorities: [ca.certificate],
      revocations: { revokedAt, entries: [], number: 1, nextUpdate: undefined },
      certificate: admin.certificate,
      key: admin.keys.privateKey,
      pem: { ca: ca.pem, cert: admin.certPem, key: admin.keyPem },
    },
    "server",
  );
  const check = (certificate: X509Certificate) =>
    checkServerIdentity?.("10.0.0.7", certificate.toLegacyObject() as PeerCertificate);
  return { check, revokedAt };
}

describe("identityClientOptions()", () => {
  it("checkServerIdentity() looks once at a certificate that it accepts", () => {
    const { check, revokedAt } = client();
    for (let host = 0; host < 3; host++) expect(check(good)).toBeUndefined();
    expect(revokedAt).toHaveBeenCalledTimes(1);
  });

  it("checkServerIdentity() refuses a certificate each time, also after it has accepted another", () => {
    const { check } = client();
    expect(check(good)).toBeUndefined();
    for (let host = 0; host < 2; host++)
      expect(check(revoked)).toMatchObject({ code: FaultCode.certificateRevoked });
    expect(check(admin.certificate)).toBeInstanceOf(Error);
  });
});

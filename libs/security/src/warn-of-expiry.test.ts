import { describe, expect, it } from "vitest";
import { inDays, TestAuthority, TestCertificateFiles } from "./testing/index.ts";
import { clientTlsOptions } from "./tls-options.ts";
import { warnOfExpiry } from "./warn-of-expiry.ts";

const now = new Date("2026-11-24T12:00:00Z");

describe("warnOfExpiry", () => {
  it.each([
    ["2026-12-24T12:00:00Z", undefined],
    ["2026-12-24T11:59:59Z", "it expires in 29 days, on 2026-12-24T11:59:59.000Z"],
    ["2026-11-25T13:00:00Z", "it expires in 1 day, on 2026-11-25T13:00:00.000Z"],
    ["2026-11-24T13:00:00Z", "it expires in 0 days, on 2026-11-24T13:00:00.000Z"],
    ["2026-11-24T11:00:00Z", "it has expired, on 2026-11-24T11:00:00.000Z"],
    ["no date", undefined],
  ])("of %s", (notAfter, expected) => {
    expect(warnOfExpiry("it", new Date(notAfter), now)).toBe(expected);
  });
});

describe("clientTlsOptions", () => {
  it("warns of the certificate and of the CA, with the advice for each", async () => {
    using files = new TestCertificateFiles();
    const authority = new TestAuthority({ notAfter: inDays(20.5) });
    const warnings: string[] = [];
    const onExpiring = (warning: string) => warnings.push(warning);
    const old = authority.issue("admin", { notAfter: inDays(3.5) });
    await clientTlsOptions(files.transport("old", authority.pem, old), { onExpiring });
    expect(warnings).toEqual([
      expect.stringMatching(/CN=admin\) expires in 3 days, on .*; renew it with "daos-server cert renew"/),
      expect.stringMatching(
        /CN=DAOS CA\) expires in 20 days, on .*; make a new CA with "daos-server cert init"/,
      ),
    ]);
    const fresh = new TestAuthority();
    warnings.length = 0;
    await clientTlsOptions(files.transport("new", fresh.pem, fresh.issue("admin")), { onExpiring });
    expect(warnings).toEqual([]);
  });
});

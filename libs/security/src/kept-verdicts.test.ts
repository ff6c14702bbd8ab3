import { X509Certificate } from "node:crypto";
import { FaultCode } from "@daos/fault";
import { describe, expect, it } from "vitest";
import { KeptVerdicts } from "./kept-verdicts.ts";
import type { Revocations } from "./revocations.ts";
import { TestAuthority } from "./testing/index.ts";

const START = Date.now();
const ca = new TestAuthority();
const authorities = [ca.certificate];
const server = ca.issue("server").certificate;
const revoking: Revocations = {
  revokedAt: () => new Date(START),
  entries: [],
  number: 1,
  nextUpdate: undefined,
};

/** Another object of the same certificate, as each connection has one. */
const again = (certificate: X509Certificate) => new X509Certificate(certificate.raw);

interface Asked {
  readonly certificate?: X509Certificate | undefined;
  readonly trusted?: readonly X509Certificate[];
  readonly revocations?: Revocations;
  /** Ms from the first verdict. */
  readonly after?: number;
}

function ask(
  verdicts: KeptVerdicts,
  { certificate = again(server), trusted, revocations, after = 0 }: Asked,
) {
  const verdict = verdicts.verify(certificate, {
    authorities: trusted ?? authorities,
    revocations,
    peer: "10.0.0.7",
    now: new Date(START + after),
  });
  return verdict.kind === "accepted" ? verdict : verdict.fault.code;
}

describe("KeptVerdicts", () => {
  it.each<readonly [string, Asked, boolean]>([
    ["the same certificate at once", {}, true],
    ["the same certificate within 5 s", { after: 5_000 }, true],
    ["the same certificate after that", { after: 5_001 }, false],
    ["the same certificate when the clock has been put back", { after: -1 }, false],
    ["another certificate of that role", { certificate: ca.issue("server").certificate }, false],
    ["the same certificate when the authorities have been read again", { trusted: [ca.certificate] }, false],
  ])("keeps its verdict on %s: %#", (_name, asked, isKept) => {
    const verdicts = new KeptVerdicts();
    const first = ask(verdicts, {});
    expect(first).toMatchObject({ kind: "accepted", role: "server" });
    const second = ask(verdicts, asked);
    expect(second).toMatchObject({ kind: "accepted", role: "server" });
    expect(second === first).toBe(isKept);
  });

  it("refuses a certificate as soon as a list that revokes it has been read", () => {
    const verdicts = new KeptVerdicts();
    expect(ask(verdicts, {})).toMatchObject({ kind: "accepted" });
    expect(ask(verdicts, { revocations: revoking })).toBe(FaultCode.certificateRevoked);
  });

  it("refuses a certificate as soon as its authority is not trusted any more", () => {
    const verdicts = new KeptVerdicts();
    expect(ask(verdicts, {})).toMatchObject({ kind: "accepted" });
    const trusted = [new TestAuthority().certificate];
    expect(ask(verdicts, { trusted })).toBe(FaultCode.certificateWrongAuthority);
  });

  it("refuses a certificate as soon as it has expired", () => {
    const verdicts = new KeptVerdicts();
    // Certificates have whole seconds.
    const notAfter = new Date(Math.ceil(START / 1000) * 1000 + 1_000);
    const short = ca.issue("admin", { notAfter }).certificate;
    expect(ask(verdicts, { certificate: short })).toMatchObject({ kind: "accepted", role: "admin" });
    expect(ask(verdicts, { certificate: again(short), after: 2_001 })).toBe(FaultCode.certificateExpired);
  });

  it("refuses a certificate as soon as its authority has expired", () => {
    const notAfter = new Date(Math.ceil(START / 1000) * 1000 + 1_000);
    const old = new TestAuthority({ notAfter });
    const trusted = [old.certificate];
    const { certificate } = old.issue("admin");
    const verdicts = new KeptVerdicts();
    expect(ask(verdicts, { certificate, trusted })).toMatchObject({ kind: "accepted" });
    expect(ask(verdicts, { certificate: again(certificate), trusted, after: 2_001 })).toBe(
      FaultCode.certificateExpired,
    );
  });

  it("does not keep a refusal", () => {
    const verdicts = new KeptVerdicts();
    const trusted = [new TestAuthority().certificate];
    expect(ask(verdicts, { trusted })).toBe(FaultCode.certificateWrongAuthority);
    expect(ask(verdicts, {})).toMatchObject({ kind: "accepted" });
    expect(verdicts.verify(undefined, { authorities, peer: "10.0.0.7", now: new Date() }).kind).toBe(
      "refused",
    );
  });
});

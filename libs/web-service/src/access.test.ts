import { FaultCode } from "@daos/fault";
import { describe, expect, it } from "vitest";
import { Access, KEY_HEADER } from "./access.ts";

const PORT = 4321;
const ORIGIN = `http://127.0.0.1:${PORT}`;

function tokenOf(access: Access): string {
  return new URL(access.link).hash.replace("#token=", "");
}

describe("Access", () => {
  it("admit() takes the token of the latest link once", () => {
    const access = new Access(PORT);
    const token = tokenOf(access);
    access.admit(token);
    expect(() => access.admit(token)).toThrow(expect.objectContaining({ code: FaultCode.webNotAuthorized }));
    expect(tokenOf(access)).not.toBe(token);
    access.admit(tokenOf(access));
  });

  it("admit() keeps the link when a wrong token is shown", () => {
    const access = new Access(PORT);
    const { link } = access;
    for (const wrong of ["", "a", `${tokenOf(access)}x`]) expect(() => access.admit(wrong)).toThrow();
    expect(access.link).toBe(link);
  });

  it("admit() refuses a browser beyond the limit", () => {
    const access = new Access(PORT);
    for (let browser = 0; browser < 32; browser++) access.admit(tokenOf(access));
    expect(() => access.admit(tokenOf(access))).toThrow(
      expect.objectContaining({ code: FaultCode.webLimit }),
    );
  });

  it("checkSession() needs both secrets of one session", () => {
    const access = new Access(PORT);
    const one = access.admit(tokenOf(access));
    const other = access.admit(tokenOf(access));
    const check = (cookie: string, key: string) => () =>
      access.checkSession({ cookie: `x=1; dmg-web-${PORT}=${cookie}; y=2`, [KEY_HEADER]: key });
    expect(check(one.cookie, one.key)).not.toThrow();
    for (const wrong of [
      check(one.cookie, other.key),
      check(one.cookie, ""),
      check("", one.key),
      check(one.key, one.cookie),
    ]) {
      expect(wrong).toThrow(expect.objectContaining({ code: FaultCode.webNotAuthorized }));
    }
    expect(() => access.checkSession({})).toThrow();
  });

  const hosts = [
    "localhost:4321",
    "127.0.0.1",
    "127.0.0.1:4322",
    "evil.example:4321",
    "127.0.0.1:4321.evil.example",
    "",
  ];
  it.each(hosts)("checkHost() refuses the host %j", (host) => {
    const access = new Access(PORT);
    expect(() => access.checkHost({ host })).toThrow(
      expect.objectContaining({ code: FaultCode.webForeignRequest }),
    );
    expect(() => access.checkHost({ host: `127.0.0.1:${PORT}` })).not.toThrow();
  });

  const origins = [
    { origin: "http://evil.example" },
    { origin: "http://127.0.0.1:4322" },
    { origin: "https://127.0.0.1:4321" },
    { origin: "null" },
    {},
    { origin: ORIGIN, "sec-fetch-site": "same-site" },
    { origin: ORIGIN, "sec-fetch-site": "cross-site" },
  ];
  it.each(origins)("checkOrigin() refuses %j", (headers) => {
    const access = new Access(PORT);
    expect(() => access.checkOrigin(headers)).toThrow(
      expect.objectContaining({ code: FaultCode.webForeignRequest }),
    );
    expect(() => access.checkOrigin({ origin: ORIGIN, "sec-fetch-site": "same-origin" })).not.toThrow();
  });
});

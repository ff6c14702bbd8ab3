import { describe, expect, it } from "vitest";
import { FaultCode } from "./codes.ts";
import { Fault, hasCode, showResolution, toFault } from "./fault.ts";

const fault = new Fault({
  domain: "scm",
  code: FaultCode.scmFormatInvalidParameter,
  description: "format SCM on /mnt/daos with size 0",
  resolution: "set scm_size to at least 1",
});

describe("Fault", () => {
  it("prints the two lines of release 0.8.0", () => {
    expect(`${fault}`).toBe('scm: code = 207 description = "format SCM on /mnt/daos with size 0"');
    expect(showResolution(fault)).toBe('scm: code = 207 resolution = "set scm_size to at least 1"');
  });

  it("adds the reason to its message", () => {
    const { domain, code, description, resolution } = fault;
    expect(new Fault({ domain, code, description, resolution, reason: "EIO" }).message).toBe(
      "format SCM on /mnt/daos with size 0: EIO",
    );
  });

  it("starts a reason of several lines on a new line", () => {
    const { domain, code, resolution } = fault;
    const { message } = new Fault({
      domain,
      code,
      description: "2 errors",
      resolution,
      reason: "\n  a\n  b",
    });
    expect(message).toBe("2 errors:\n  a\n  b");
  });

  it("is compared by code", () => {
    expect(hasCode(fault, FaultCode.scmFormatInvalidParameter)).toBe(true);
    expect(hasCode(fault, FaultCode.unknown)).toBe(false);
    expect(hasCode(new Error("x"), FaultCode.unknown)).toBe(false);
  });
});

describe("toFault()", () => {
  it("keeps a fault and wraps the rest as unknown", () => {
    expect(toFault(fault)).toBe(fault);
    const cause = new Error("boom");
    expect(toFault(cause)).toMatchObject({ code: 0, description: "boom", cause });
    expect(toFault("text").description).toBe("text");
  });

  it.each([
    ["ENOSPC", "make room where /mnt/daos/f is"],
    ["EDQUOT", "make room where /mnt/daos/f is"],
    ["EROFS", "mount the file system of /mnt/daos/f read-write"],
    ["EIO", "the device of /mnt/daos/f fails"],
    ["EACCES", "let the user that runs this program use /mnt/daos/f"],
    ["ENOTDIR", "there is something else where /mnt/daos/f is expected"],
    ["EMFILE", "allow more open files"],
    ["EPROTO", "this is not a known failure"],
  ])("says what to do about the failure %s of the operating system", (code, resolution) => {
    const error = Object.assign(new Error(`${code}: text`), { code, path: "/mnt/daos/f" });
    expect(toFault(error)).toMatchObject({ code: 0, resolution: expect.stringContaining(resolution) });
  });
});

describe("FaultCode", () => {
  it("has no number twice and keeps those of release 0.8.0", () => {
    const codes = Object.values(FaultCode);
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes).toEqual(expect.arrayContaining([0, 1, 102, 103, 104, 105, 206, 207, 308, 309, 910]));
  });
});

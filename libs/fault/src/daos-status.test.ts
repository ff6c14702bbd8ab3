import { describe, expect, it } from "vitest";
import { daosStatusName, daosStatusNumber, faultDaosStatus } from "./daos-status.ts";

describe("daosStatusName()", () => {
  it.each([
    [0, "SUCCESS"],
    [-1001, "NO_PERM"],
    [-1004, "EXIST"],
    [-1007, "NOSPACE"],
    [-1014, "PROTO"],
    [-1034, "DOS"],
    [-1035, "BAD_TARGET"],
    [-1036, "GRPVER"],
    [-2001, "IO"],
    [-2008, "NOTLEADER"],
    [-2024, "REC_SIZE"],
    [-1037, "UNKNOWN(-1037)"],
    [-2025, "UNKNOWN(-2025)"],
    [5, "UNKNOWN(5)"],
  ])("%i is %s", (status, name) => {
    expect(daosStatusName(status)).toBe(name);
  });

  it("is reversed by daosStatusNumber()", () => {
    for (const status of [-1001, -1036, -2001, -2024]) {
      expect(daosStatusNumber(daosStatusName(status))).toBe(status);
    }
    expect(() => daosStatusNumber("NOPE")).toThrow("no DAOS status NOPE");
  });
});

describe("faultDaosStatus()", () => {
  it("names the attempt, the meaning and the number", () => {
    const fault = faultDaosStatus("create pool", -1007);
    expect(fault.code).toBe(1007);
    expect(fault.description).toBe(
      "cannot create pool: no space left on the storage target (DER_NOSPACE, -1007)",
    );
    expect(fault.resolution).toContain("smaller sizes");
  });

  it("names the way out for a rank that has not joined again", () => {
    const fault = faultDaosStatus("create pool", -1036);
    expect(fault.description).toContain("has not joined since (DER_GRPVER, -1036)");
    expect(fault.resolution).toContain("dmg system query");
  });

  it("explains a number without a name", () => {
    expect(faultDaosStatus("join", -4711).description).toBe(
      "cannot join: unknown failure (DER_UNKNOWN(-4711), -4711)",
    );
  });
});

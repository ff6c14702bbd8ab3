import { describe, expect, it } from "vitest";
import { isAbout, lossOf, planLoss } from "./plan-report.ts";
import type { EngineReport } from "./plan-transition.ts";
import { memberOf, reportOf } from "./testing/members.ts";

const { address } = memberOf(0);
const elsewhere = { host: "10.0.0.9", port: 10001 };

describe("isAbout", () => {
  it.each([
    ["any process at its address", address, 0, true],
    ["an earlier process at its address", address, 2, true],
    ["its process at another address", elsewhere, 3, true],
    ["a process that has not joined at another address", elsewhere, 0, false],
    ["another process at another address", elsewhere, 2, false],
    ["another port", { ...address, port: 2 }, 0, false],
  ])("isAbout() of %s", (_name, host, incarnation, expected) => {
    expect(isAbout(memberOf(0, { incarnation: 3 }), host, { incarnation })).toBe(expected);
  });
});

describe("lossOf", () => {
  const own = { uuid: "uuid-0", instance: 1 };
  const empty = { instance: 1, state: "failed", reason: "SCM is not formatted" } as const;
  it.each<
    [string, { readonly instance?: number }, readonly Partial<EngineReport>[], number | undefined, unknown]
  >([
    ["a member that is named", { instance: 1 }, [own], 1, undefined],
    ["a member that is named in another place", { instance: 0 }, [own], 2, undefined],
    ["a place of which nothing is said", { instance: 1 }, [{ uuid: "a", instance: 0 }], 2, undefined],
    ["another identity", { instance: 1 }, [{ uuid: "a", instance: 1 }], 2, "another identity now: a"],
    ["no identity", { instance: 1 }, [empty], 2, "has no superblock: SCM is not formatted"],
    [
      "a place that is not configured",
      { instance: 1 },
      [{ uuid: "a", instance: 0 }],
      1,
      "configuration has 1 now",
    ],
    [
      "a member without a place, all others named",
      {},
      [{ uuid: "a" }, empty],
      2,
      "a, one without a superblock",
    ],
    ["a member without a place, some others named", {}, [{ uuid: "a" }], 2, undefined],
    ["a host of an earlier release", { instance: 1 }, [{ uuid: "a" }], undefined, undefined],
  ])("lossOf() of %s", (_name, member, engines, configured, expected) => {
    const loss = lossOf({ uuid: "uuid-0", ...member }, reportOf(address, engines, configured));
    if (expected === undefined) expect(loss).toBeUndefined();
    else expect(loss).toContain(expected);
  });
});

describe("planLoss", () => {
  it.each(["joining", "joined", "stopping", "stopped", "unresponsive", "errored"] as const)(
    "planLoss() makes a member errored that is %s",
    (state) => {
      expect(planLoss({ state, reason: "" }, "gone", false)).toEqual({ state: "errored", reason: "gone" });
      expect(planLoss({ state, reason: "" }, "gone", true)).toBeUndefined();
    },
  );

  it.each(["excluded", "replaced"] as const)("planLoss() leaves a member %s", (state) => {
    expect(planLoss({ state, reason: "" }, "gone", false)).toBeUndefined();
  });

  it("planLoss() changes nothing when the reason is known", () => {
    expect(planLoss({ state: "errored", reason: "gone" }, "gone", false)).toBeUndefined();
  });
});

import { FaultCode } from "@daos/fault";
import { describe, expect, it } from "vitest";
import { planFormat } from "./plan-format.ts";
import { planRestart } from "./plan-restart.ts";

describe("planFormat", () => {
  const mount = "/mnt/daos";
  it.each([
    [{ kind: "unformatted" }, true, false, { kind: "format", wipe: false }],
    [{ kind: "unformatted" }, true, true, { kind: "format", wipe: true }],
    [{ kind: "mounted" }, true, false, { kind: "resume" }],
    [{ kind: "mounted" }, false, true, { kind: "format", wipe: true }],
    [{ kind: "foreign", fsType: "xfs" }, false, true, { kind: "format", wipe: true }],
  ] as const)("%j, empty %s, reformat %s", (scm, empty, reformat, expected) => {
    expect(planFormat({ scm, mount, empty }, { reformat })).toEqual(expected);
  });

  it.each([{ kind: "mounted" }, { kind: "mountable" }, { kind: "foreign", fsType: "xfs" }] as const)(
    "refuses %j that may hold data",
    (scm) => {
      const plan = planFormat({ scm, mount, empty: false }, { reformat: false });
      expect(plan).toMatchObject({ kind: "refuse", fault: { code: FaultCode.storageAlreadyFormatted } });
    },
  );
});

describe("planRestart", () => {
  it("gives up at once on an engine that never served", () => {
    expect(planRestart({ hasServed: false, failuresInARow: 1, storageLost: false }, 0.5)).toMatchObject({
      kind: "give-up",
    });
  });

  it("waits longer each time, up to 30 s, and then gives up", () => {
    const plans = [1, 2, 3, 4, 5, 6].map((failuresInARow) =>
      planRestart({ hasServed: true, failuresInARow, storageLost: false }, 0.5),
    );
    expect(plans.map((plan) => (plan.kind === "restart" ? plan.delayMs : plan.kind))).toEqual([
      1000,
      2000,
      4000,
      8000,
      16000,
      "give-up",
    ]);
  });

  it("gives up at once when the storage is lost", () => {
    expect(planRestart({ hasServed: true, failuresInARow: 1, storageLost: true }, 0.5)).toMatchObject({
      kind: "give-up",
    });
  });

  it("spreads the waits by a quarter to both sides", () => {
    const delay = (random: number) =>
      planRestart({ hasServed: true, failuresInARow: 1, storageLost: false }, random);
    expect(delay(0)).toEqual({ kind: "restart", delayMs: 750 });
    expect(delay(1)).toEqual({ kind: "restart", delayMs: 1250 });
  });
});

import { FaultCode } from "@daos/fault";
import type { InstanceState } from "@daos/instance";
import { describe, expect, it } from "vitest";
import { type ControllerOwner, isSkippedFor, parseBurnInOrder, planBurnIn } from "./plan-burn-in.ts";

const A = "0000:81:00.0";
const B = "0000:82:00.0";

function engine(state: InstanceState["kind"], superblock?: object): ControllerOwner {
  const config = { bdev: { class: "nvme", list: ["81:00.0"] } };
  return { index: 1, config, state: { kind: state }, superblock } as unknown as ControllerOwner;
}

describe("parseBurnInOrder", () => {
  it("parseBurnInOrder() names each controller once, by its full address", () => {
    expect(parseBurnInOrder(["81:00.0", A], 60)).toEqual({ named: [A], durationMs: 60_000 });
    expect(parseBurnInOrder([], 60).named).toBeUndefined();
  });

  it.each([
    [["sda"], 60],
    [[A], 2 ** 31],
  ])("parseBurnInOrder() refuses %j for %d seconds", (devices, seconds) => {
    expect(() => parseBurnInOrder(devices, seconds)).toThrow(
      expect.objectContaining({ code: FaultCode.usage }),
    );
  });
});

describe("planBurnIn", () => {
  const plan = (devices: readonly string[], owner: ControllerOwner) =>
    planBurnIn(parseBurnInOrder(devices, 0), {
      found: [A, B],
      engines: [owner],
      selection: { exclude: [B] },
    }).map(({ kind, address }) => [address, kind]);

  it.each([
    ["new", undefined],
    ["starting", {}],
    ["serving", {}],
    ["restarting", {}],
    ["stopped", {}],
    ["formatting", undefined],
    ["failed", {}],
  ] as const)("planBurnIn() leaves the controllers of an engine that is %s", (state, superblock) => {
    const owner = engine(state, superblock);
    expect(plan([A], owner)).toEqual([[A, "refuse"]]);
    expect(plan([], owner)).toContainEqual([A, "skip"]);
  });

  it.each(["awaiting format", "failed"] as const)(
    "planBurnIn() takes the controllers of an engine that is %s and has no superblock",
    (state) => {
      expect(plan([], engine(state))).toEqual([
        [A, "burn in"],
        [B, "skip"],
      ]);
    },
  );

  it("planBurnIn() takes a controller by name that the configuration excludes", () => {
    expect(plan([B], engine("serving", {}))).toEqual([[B, "burn in"]]);
  });
});

describe("isSkippedFor", () => {
  it("isSkippedFor() holds for a controller in use only when it was not named", () => {
    const fault = { code: FaultCode.bdevInUse } as Parameters<typeof isSkippedFor>[0];
    expect(isSkippedFor(fault, parseBurnInOrder([], 0))).toBe(true);
    expect(isSkippedFor(fault, parseBurnInOrder([A], 0))).toBe(false);
  });
});

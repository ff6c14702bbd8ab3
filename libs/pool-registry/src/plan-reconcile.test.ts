import type { PoolRecord } from "@daos/member-store";
import { samplePool } from "@daos/member-store/testing";
import { describe, expect, it } from "vitest";
import { planReconcile } from "./plan-reconcile.ts";

const there = ({ uuid }: PoolRecord, svcReplicas: readonly number[] = [1]) => ({ uuid, svcReplicas });
const options = { isSettled: (): boolean => true, unfinishedFor: () => 0, wallTime: 7 };
const late = { ...options, unfinishedFor: () => 300_000 };

const ready = samplePool(1);
const creating = samplePool(2, { state: "creating", svcReplicas: [] });
const destroying = samplePool(3, { state: "destroying" });

describe("planReconcile", () => {
  it.each([
    ["ready in both", ready, there(ready), options, "ready", undefined],
    ["with moved service replicas", ready, there(ready, [4]), options, "ready", "put ready"],
    ["ready, and not in the data plane", ready, undefined, options, "missing", undefined],
    ["being created, and in the data plane", creating, there(creating), options, "ready", "put ready"],
    ["being created, and not there yet", creating, undefined, options, "creating", undefined],
    ["whose creation never ended", creating, undefined, late, undefined, "remove"],
    ["being destroyed, and still there", destroying, there(destroying), options, "destroying", undefined],
    ["being destroyed, and gone", destroying, undefined, options, undefined, "remove"],
    [
      "ready and missing, but just being changed",
      ready,
      undefined,
      { ...options, isSettled: (): boolean => false },
      "ready",
      undefined,
    ],
  ] as const)("assesses a pool %s", (_, record, found, when, state, change) => {
    const plan = planReconcile([record], found === undefined ? [] : [found], when);
    expect(plan.listed.map((one) => one.state)).toEqual(state === undefined ? [] : [state]);
    const changes = plan.changes.map((one) => (one.kind === "put" ? `put ${one.pool.state}` : one.kind));
    expect(changes).toEqual(change === undefined ? [] : [change]);
  });

  it("records a pool that only the data plane has, and says so each time", () => {
    const other = { uuid: samplePool(9).uuid.toUpperCase(), svcReplicas: [2] };
    const { listed, changes } = planReconcile([ready], [there(ready), other], options);
    expect(listed).toMatchObject([
      { note: "" },
      { state: "ready", note: "not created through this control plane" },
    ]);
    expect(changes).toMatchObject([
      { pool: { uuid: samplePool(9).uuid, label: "", createdBy: "", createdAt: 7 } },
    ]);
    const [change] = changes;
    if (change?.kind !== "put") throw new Error("it is recorded");
    const again = planReconcile([ready, change.pool], [there(ready), other], options);
    expect(again).toMatchObject({
      changes: [],
      listed: [{}, { note: "not created through this control plane" }],
    });
  });

  it("says what differs, and what to do", () => {
    const { listed } = planReconcile([ready, destroying], [there(destroying)], late);
    expect(listed.map(({ note }) => note)).toEqual([
      "the data plane does not have it; dmg pool destroy forgets it",
      "its destruction has not ended; repeat dmg pool destroy",
    ]);
  });
});

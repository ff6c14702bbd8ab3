import { create } from "@bufbuild/protobuf";
import { leaderOf } from "@daos/election/testing";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { faultMemberStore, SqliteMemberStore } from "@daos/member-store";
import { memberOf } from "@daos/membership/testing";
import { type Clock, systemClock } from "@daos/sys";
import { describe, expect, it } from "vitest";
import { faultPoolServiceDown } from "./faults.ts";
import type { MsReplicas } from "./ms-replicas.ts";
import { PoolCoordinator } from "./pool-coordinator.ts";

const { signal } = new AbortController();
const self = { host: "10.0.0.1", port: 10001 };
const uuid = (digit: number) => `${String(digit).repeat(8)}-1111-4222-8333-444444444444`;

function poolOf(digit: number, label = "") {
  return {
    uuid: uuid(digit),
    label,
    user: "ana@",
    group: "physics@",
    scmBytes: 1n,
    nvmeBytes: 0n,
    ranks: [],
    createdBy: "admin",
  };
}

/** A leader whose data plane answers each method with what `answers` gives; a method without an answer throws. */
async function systemOf(answers: Readonly<Record<string, (request: never) => unknown>>) {
  const store = new SqliteMemberStore(":memory:");
  const leadership = await leaderOf(self, [memberOf(0)], { store });
  const call = (async (method: { readonly name: string; readonly response: never }, request: never) => {
    const answer = answers[method.name];
    if (answer === undefined) throw new Error(`unexpected call ${method.name}`);
    return create(method.response, (await answer(request)) as never);
  }) as unknown as MsReplicas["call"];
  const pools = new PoolCoordinator({ leadership, replicas: { call }, log: silentLogger });
  const recorded = async () =>
    (await store.loadPools()).map(({ uuid: id, label, state }) => `${id[0]} ${label} ${state}`);
  const createPool = (digit: number, label = "") =>
    pools.create(poolOf(digit, label), { uuid: uuid(digit) }, { signal });
  const destroyPool = (digit: number) => pools.destroy(uuid(digit), { uuid: uuid(digit) }, { signal });
  const coordinator = (clock: Clock) =>
    new PoolCoordinator({ leadership, replicas: { call }, log: silentLogger, clock });
  return { pools, leadership, store, recorded, createPool, destroyPool, coordinator };
}

describe("PoolCoordinator", () => {
  it("lists the recorded pools while the data plane hangs", async () => {
    const system = await systemOf({
      poolCreate: () => ({ status: 0, svcreps: [0] }),
      listPools: () => new Promise(() => {}),
    });
    await system.createPool(1, "fast");
    const waited: number[] = [];
    const clock = Object.create(systemClock, {
      deadline: {
        value: (ms: number, what: string, until: AbortSignal) => {
          waited.push(ms);
          return systemClock.deadline(5, what, until);
        },
      },
    }) as typeof systemClock;
    const pools = system.coordinator(clock);
    const { pools: found, outage } = await pools.list({ sys: "daos_server" }, { signal });
    expect(found).toMatchObject([{ record: { label: "fast" }, inDataPlane: false }]);
    expect(outage?.message).toContain("list the pools of the data plane");
    expect(waited).toEqual([10_000]);
  });

  it("records a pool before the data plane is asked, and after it has answered", async () => {
    const seen: (readonly string[])[] = [];
    const system = await systemOf({
      poolCreate: async () => {
        seen.push(await system.recorded());
        return { status: 0, svcreps: [0, 1] };
      },
      poolDestroy: async () => {
        seen.push(await system.recorded());
        return { status: 0 };
      },
    });
    expect(await system.createPool(1, "fast")).toEqual({ status: 0, svcReplicas: [0, 1] });
    seen.push(await system.recorded());
    expect(await system.destroyPool(1)).toBe(0);
    seen.push(await system.recorded());
    expect(seen).toEqual([["1 fast creating"], ["1 fast ready"], ["1 fast destroying"], []]);
  });

  it("refuses a second pool with a label, also while the first one is being created", async () => {
    const answered = Promise.withResolvers<object>();
    const system = await systemOf({ poolCreate: () => answered.promise });
    const first = system.createPool(1, "fast");
    await expect(system.createPool(2, "fast")).rejects.toMatchObject({ code: FaultCode.poolLabelTaken });
    answered.resolve({ status: 0 });
    await first;
    await expect(system.createPool(3, "fast")).rejects.toMatchObject({ code: FaultCode.poolLabelTaken });
    await expect(system.createPool(1, "slow")).rejects.toMatchObject({ code: FaultCode.poolExists });
    await expect(system.createPool(4, "a/b")).rejects.toMatchObject({ code: FaultCode.poolLabelInvalid });
    expect(await system.createPool(1, "fast")).toMatchObject({ status: 0 });
    expect(await system.recorded()).toEqual(["1 fast ready"]);
  });

  it("forgets a pool that was certainly not created, and keeps one that may have been", async () => {
    let answer: () => unknown = () => ({ status: -1007 });
    const system = await systemOf({ poolCreate: () => answer() });
    expect(await system.createPool(1)).toMatchObject({ status: -1007 });
    answer = () => Promise.reject(faultPoolServiceDown([self, self], []));
    await expect(system.createPool(2)).rejects.toMatchObject({ code: FaultCode.poolServiceDown });
    expect(await system.recorded()).toEqual([]);
    answer = () => Promise.reject(new DOMException("no answer", "TimeoutError"));
    await expect(system.createPool(3)).rejects.toThrow();
    answer = () => ({ status: -1011 });
    expect(await system.createPool(4)).toMatchObject({ status: -1011 });
    expect(await system.recorded()).toEqual(["3  creating", "4  creating"]);
  });

  it("keeps the record of an attempt that may have been carried out when the next one is refused", async () => {
    let answer: () => unknown = () => Promise.reject(new DOMException("no answer", "TimeoutError"));
    const system = await systemOf({
      poolCreate: () => answer(),
      listPools: () => ({ status: 0, pools: [{ uuid: uuid(1), svcreps: [2] }] }),
    });
    await expect(system.createPool(1, "fast")).rejects.toThrow();
    answer = () => ({ status: -1004 });
    expect(await system.createPool(1, "fast")).toMatchObject({ status: -1004 });
    expect(await system.recorded()).toEqual(["1 fast creating"]);
    expect((await system.pools.list({}, { signal })).pools).toMatchObject([
      { state: "ready", inDataPlane: true, record: { label: "fast" } },
    ]);
    expect(await system.recorded()).toEqual(["1 fast ready"]);
  });

  it("does not let a call that was given up wait for the one before it, nor the next one pass that", async () => {
    const answered = Promise.withResolvers<object>();
    const system = await systemOf({ poolCreate: () => answered.promise, poolDestroy: () => ({ status: 0 }) });
    const first = system.createPool(1);
    const limit = new AbortController();
    const second = system.pools.destroy(uuid(1), { uuid: uuid(1) }, { signal: limit.signal });
    limit.abort(new Error("given up"));
    await expect(second).rejects.toThrow("given up");
    const third = system.destroyPool(1);
    answered.resolve({ status: 0 });
    expect(await first).toMatchObject({ status: 0 });
    expect(await third).toBe(0);
    expect(await system.recorded()).toEqual([]);
  });

  it("keeps a pool whose destruction is refused", async () => {
    const system = await systemOf({
      poolCreate: () => ({ status: 0 }),
      poolDestroy: () => ({ status: -1012 }),
    });
    await system.createPool(1, "fast");
    expect(await system.destroyPool(1)).toBe(-1012);
    expect(await system.recorded()).toEqual(["1 fast ready"]);
  });

  it("destroys a pool while the store takes no writes, and notes that later", async () => {
    let there: readonly object[] = [{ uuid: uuid(1) }];
    const system = await systemOf({
      poolCreate: () => ({ status: 0 }),
      poolDestroy: () => {
        there = [];
        return { status: 0 };
      },
      listPools: () => ({ status: 0, pools: there }),
    });
    await system.createPool(1);
    const commit = system.store.commitPools.bind(system.store);
    system.store.commitPools = () =>
      Promise.reject(faultMemberStore("members.db", new Error("disk is full")));
    expect(await system.destroyPool(1)).toBe(0);
    system.store.commitPools = commit;
    const { pools } = await system.pools.list({}, { signal });
    expect(pools).toMatchObject([{ state: "missing" }]);
    expect(await system.destroyPool(1)).toBe(0);
    expect((await system.pools.list({}, { signal })).pools).toEqual([]);
  });

  it("lists what is recorded, with the reason, while the data plane is down", async () => {
    const system = await systemOf({
      poolCreate: () => ({ status: 0, svcreps: [3] }),
      listPools: () => Promise.reject(faultPoolServiceDown([self, self], [])),
    });
    await system.createPool(1, "fast");
    expect(await system.pools.list({}, { signal })).toMatchObject({
      outage: { code: FaultCode.poolServiceDown },
      pools: [{ state: "ready", svcReplicas: [3], note: "as recorded", record: { label: "fast" } }],
    });
  });
});

import type { PoolRecord } from "../pool-record.ts";

/** A pool whose uuid comes from `number`, with the given other fields. */
export function samplePool(number: number, change: Partial<PoolRecord> = {}): PoolRecord {
  return {
    uuid: `${String(number).padStart(8, "0")}-1111-4222-8333-444444444444`,
    label: `pool${number}`,
    state: "ready",
    user: "ana@",
    group: "physics@",
    scmBytes: 8n * 1024n ** 3n,
    nvmeBytes: 2n ** 63n + 1n,
    ranks: [0, 1, 7],
    svcReplicas: [1],
    createdAt: 1_700_000_000_000,
    createdBy: "admin at 10.0.0.7",
    ...change,
  };
}

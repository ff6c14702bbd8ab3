import { expect, it } from "vitest";
import { etcdFaults } from "./testing/etcd-faults.ts";

// All faults in turn, 100 of them: npm run test:etcd-faults -w @daos/election
it("EtcdElection loses no commit that it has acknowledged, whatever happens to etcd and to leaders", {
  timeout: 300_000,
}, async () => {
  const { faults, acknowledged } = await etcdFaults({ count: 9, seed: 20261129, longestMs: 2_000 });
  expect(Object.values(faults)).toEqual(Array(9).fill(1));
  expect(acknowledged).toBeGreaterThan(0);
});

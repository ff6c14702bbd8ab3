import { expect, it } from "vitest";
import { checkReport } from "./malformed/check-report.ts";
import { malformed } from "./malformed/malformed.ts";

// The full run has 10,000,000 packets, 5,000,000 calls and 5,000,000 requests: npm run test:malformed
it("daos-server and daos-admin survive all kinds of malformed input, and serve good calls meanwhile", async () => {
  const count = { drpc: 5_000, grpc: 1_500, helper: 2_000, processes: 4 };
  const report = await malformed({ ...count, seconds: 240, seed: 20261129 });
  expect(checkReport(report)).toEqual([]);
  expect(report).toMatchObject({ inputs: { drpc: 5_000 }, helper: { requests: 2_000, processes: 4 } });
  expect(report.inputs.grpc).toBeGreaterThanOrEqual(1_500);
  expect(report.good.pools).toBeGreaterThan(0);
});

import { expect, it } from "vitest";
import { kills } from "./crashes/kills.ts";

// 200 of them: npm run test:crashes
it("daos-server loses no acknowledged change when it or its engine is killed in any phase", {
  timeout: 600_000,
}, async () => {
  const { kills: done, acknowledged, problems } = await kills({ count: 7, seed: 20261129 });
  expect(problems).toEqual([]);
  expect(Object.values(done)).toEqual(Array(7).fill(1));
  expect(acknowledged).toBeGreaterThan(0);
});

import { expect, it } from "vitest";
import { fuzz } from "./testing/fuzz.ts";

// The full run has 10,000 inputs: npm run fuzz -w @daos/security
it("guardServer() keeps serving a good client while it receives malformed input", {
  timeout: 120_000,
}, async () => {
  const result = await fuzz({ inputs: 900, seed: 20261123 });
  expect(result).toMatchObject({ inputs: 900, goodCalls: 15 });
});

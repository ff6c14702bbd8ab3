import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { trustedDirectory } from "../testing/trusted-directory.ts";
import { fuzz } from "./fuzz.ts";

const uid = process.getuid?.() ?? 0;
const place = await trustedDirectory();

describe("random requests", () => {
  // Without a trusted directory, every request with a path is refused. That is fuzzed too.
  it("fuzz() ends every request with a fault or inside the policy", { timeout: 600_000 }, async () => {
    const mount = join(place ?? "/nowhere", "daos-fuzz");
    const tally = await fuzz({ count: 20_000, seed: 5, mount, uid });
    expect(tally.requests).toBe(20_000);
    expect(tally.malformed).toBeGreaterThan(1_000);
    expect(tally.refused).toBeGreaterThan(100);
    expect(tally.done).toBeGreaterThan(100);
  });

  it("fuzz() makes the same requests when the seed is the same", async () => {
    const options = { count: 300, seed: 7, mount: "/nowhere/daos-fuzz", uid };
    expect(await fuzz(options)).toEqual(await fuzz(options));
  });
});

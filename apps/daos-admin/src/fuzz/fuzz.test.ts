import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { trustedDirectory } from "../testing/trusted-directory.ts";
import { fuzz } from "./fuzz.ts";

const uid = process.getuid?.() ?? 0;
const place = await trustedDirectory();

describe("random requests", () => {
  // Where no directory can be trusted, everything with a path is refused, which is worth fuzzing too.
  it("end with a fault or inside the policy", { timeout: 600_000 }, async () => {
    const mount = join(place ?? "/nowhere", "daos-fuzz");
    const tally = await fuzz({ count: 20_000, seed: 5, mount, uid });
    expect(tally.requests).toBe(20_000);
    expect(tally.malformed).toBeGreaterThan(1_000);
    expect(tally.refused).toBeGreaterThan(100);
    expect(tally.done).toBeGreaterThan(100);
  });

  it("are the same for the same seed", async () => {
    const options = { count: 300, seed: 7, mount: "/nowhere/daos-fuzz", uid };
    expect(await fuzz(options)).toEqual(await fuzz(options));
  });
});

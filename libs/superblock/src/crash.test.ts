import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { decodeSuperblock, encodeSuperblock } from "./codec.ts";
import { createSuperblock, type Superblock } from "./superblock.ts";
import { readSuperblock, writeSuperblock } from "./superblock-file.ts";

// Starts dozens of processes, which takes long on a loaded machine.
vi.setConfig({ testTimeout: 180_000 });

const system = "daos_server";
const before: Superblock = { ...createSuperblock({ system, replica: "replica" }), rank: undefined };
const after: Superblock = { ...before, validRank: true, createMs: false };
const child = join(import.meta.dirname, "testing", "crash-child.ts");
/** Maximum number of steps of one replacement; the child reports when there are no more. */
const MAX_STEPS = 40;

let mount = "";
beforeEach(async () => {
  mount = await mkdtemp(join(tmpdir(), "daos-crash-"));
});
afterEach(() => rm(mount, { recursive: true }));

type Moment = "before" | "after" | "torn";

/** Starts a child that replaces the superblock and kills itself; true when it finished alive. */
async function replaceAndDie(step: number, moment: Moment): Promise<boolean> {
  const args = ["--conditions=@daos/source", child, mount, String(step), moment, JSON.stringify(after)];
  try {
    await promisify(execFile)(process.execPath, args);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ signal: "SIGKILL" });
    return false;
  }
}

describe("writeSuperblock(), in a process that is killed,", () => {
  it.each<Moment>(["before", "after", "torn"])(
    "leaves the old superblock or the new one: killed %s each write, sync, rename and close",
    async (moment) => {
      const seen = new Set<string>();
      let step = 1;
      for (; step <= MAX_STEPS; step++) {
        await writeSuperblock(mount, before);
        if (await replaceAndDie(step, moment)) break;
        const found = await readSuperblock(mount, { system });
        expect([before, after]).toContainEqual(found);
        seen.add(found?.validRank ? "new" : "old");
      }
      // open, chmod, writeFile, sync, close, rename, open, sync, close at least.
      expect(step).toBeGreaterThan(9);
      expect(step).toBeLessThan(MAX_STEPS);
      expect(seen).toEqual(new Set(["old", "new"]));
    },
  );

  it("leaves no superblock or the new one when there was none", async () => {
    for (let step = 1; step <= MAX_STEPS; step++) {
      await rm(join(mount, "superblock"), { force: true });
      if (await replaceAndDie(step, "after")) break;
      expect([undefined, after]).toContainEqual(await readSuperblock(mount, { system }));
    }
  });

  it("leaves only files that the next writer removes", async () => {
    await replaceAndDie(3, "torn");
    expect(await readdir(mount)).toHaveLength(1);
    await writeSuperblock(mount, after);
    expect(await readdir(mount)).toEqual(["superblock"]);
  });
});

describe("decodeSuperblock(), given torn and damaged files,", () => {
  const runs = { numRuns: 500, seed: 20261123 };
  const old = Buffer.from(encodeSuperblock(before));
  const fresh = Buffer.from(encodeSuperblock({ ...after, rank: 12 as Superblock["rank"] }));
  const fails = (bytes: Uint8Array) => expect(decodeSuperblock(bytes)).toMatchObject({ kind: "malformed" });

  it("detects them at every length", () => {
    for (let length = 0; length < fresh.length; length++) fails(fresh.subarray(0, length));
  });

  it("detects them when the rest is zeros or from the old file", () => {
    for (let length = 1; length < fresh.length; length++) {
      const zeros = Buffer.alloc(fresh.length);
      fresh.copy(zeros, 0, 0, length);
      fails(zeros);
      const mixed = Buffer.concat([fresh.subarray(0, length), old.subarray(length)]);
      if (!mixed.equals(old) && !mixed.equals(fresh)) fails(mixed);
    }
  });

  it("detects them when any parts are missing, zero, garbage or old", () => {
    let torn = 0;
    const damage = fc.record({
      from: fc.nat(fresh.length - 1),
      length: fc.integer({ min: 1, max: fresh.length }),
      kind: fc.constantFrom("zero", "missing", "old", "garbage"),
      garbage: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    });
    fc.assert(
      fc.property(damage, ({ from, length, kind, garbage }) => {
        const head = fresh.subarray(0, from);
        const tail = fresh.subarray(Math.min(from + length, fresh.length));
        const middle = {
          zero: Buffer.alloc(Math.min(length, fresh.length - from)),
          missing: Buffer.alloc(0),
          old: old.subarray(from, from + length),
          garbage: Buffer.from(garbage),
        }[kind];
        const bytes = Buffer.concat([head, middle, tail]);
        if (bytes.equals(fresh) || bytes.equals(old)) return;
        torn += 1;
        fails(bytes);
      }),
      { ...runs, numRuns: 2_000 },
    );
    expect(torn).toBeGreaterThan(1_000);
  });

  it("detects a flipped bit", () => {
    for (let bit = 0; bit < fresh.length * 8; bit++) {
      const flipped = Buffer.from(fresh);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      fails(flipped);
    }
  });

  it("never throws", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc.string().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          expect(decodeSuperblock(bytes).kind).toMatch(/^(malformed|newer|superblock)$/);
        },
      ),
      runs,
    );
  });
});

describe("decodeSuperblock()", () => {
  it("reads what encodeSuperblock() wrote, with any system name", () => {
    const superblock = fc.record({
      version: fc.constant(0 as const),
      uuid: fc.uuid(),
      system: fc.string({ minLength: 1, unit: "grapheme" }).filter((name) => !name.includes("\0")),
      rank: fc.option(fc.nat(4294967294), { nil: undefined }) as fc.Arbitrary<Superblock["rank"]>,
      validRank: fc.boolean(),
      ms: fc.boolean(),
      createMs: fc.boolean(),
      bootstrapMs: fc.boolean(),
    });
    fc.assert(
      fc.property(superblock, (value) => {
        expect(decodeSuperblock(Buffer.from(encodeSuperblock(value)))).toEqual({
          kind: "superblock",
          superblock: value,
        });
      }),
      { numRuns: 500, seed: 20261123 },
    );
  });
});

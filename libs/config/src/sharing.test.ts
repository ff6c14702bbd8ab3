import { describe, expect, it } from "vitest";
import { findSharing } from "./sharing.ts";
import type { EngineConfig } from "./types.ts";

const engine = (index: number, list: readonly string[]) =>
  ({
    index,
    scm: { class: "ram", mount: `/mnt/daos${index}`, sizeGiB: 1 },
    bdev: { class: "nvme", list, number: 0, sizeGB: 0 },
    fabricIface: "lo",
    fabricIfacePort: 20_000 + 10 * index,
    targets: 0,
  }) as unknown as EngineConfig;

function problems(...lists: readonly (readonly string[])[]): readonly string[] {
  const found: string[] = [];
  findSharing(
    lists.map((list, index) => engine(index, list)),
    (severity, place, problem) => void found.push(`${severity} ${place}: ${problem}`),
  );
  return found;
}

describe("findSharing()", () => {
  it.each([
    ["0000:8A:00.0", "0000:8a:00.0"],
    ["8a:00.0", "0000:8a:00.0"],
  ])("findSharing() finds a controller that two engines share, written as %s and %s", (one, other) => {
    expect(problems([one], [other])).toEqual([
      `error servers[1].bdev_list[0]: ${other} is also that of servers[0]`,
    ]);
    expect(problems([one, other])).toEqual([`error servers[0].bdev_list[1]: ${other} is listed twice`]);
  });

  it("findSharing() compares paths literally", () => {
    expect(problems(["/dev/SDA"], ["/dev/sda"], ["0000:8a:00.0"], ["0001:8a:00.0"])).toEqual([]);
  });
});

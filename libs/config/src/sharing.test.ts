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

function reports(
  engines: readonly EngineConfig[],
  options?: Parameters<typeof findSharing>[2],
): readonly string[] {
  const found: string[] = [];
  findSharing(
    engines,
    (severity, place, problem) => void found.push(`${severity} ${place}: ${problem}`),
    options,
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

  const uuid = "55bedf6f-a14a-429c-b65a-b764e01892cf";
  it.each([
    ["/dev/pmem0", "/dev/./pmem0"],
    ["/dev/pmem0", "/dev//pmem0"],
    [`uuid:${uuid}`, `uuid:${uuid.toUpperCase()}`],
    [`uuid:${uuid}`, `/dev/disk/by-id/pmem-${uuid}`],
  ])("findSharing() finds a namespace that two engines share, written as %s and %s", (one, other) => {
    const dcpm = (index: number, device: string) => ({
      ...engine(index, []),
      scm: { class: "dcpm" as const, mount: `/mnt/daos${index}`, device },
    });
    expect(reports([dcpm(0, one), dcpm(1, other)])).toEqual([
      `error servers[1].scm_list[0]: ${other} is also that of servers[0]`,
    ]);
    expect(reports([dcpm(0, one), dcpm(1, "/dev/pmem1")])).toEqual([]);
  });

  it.each([
    ["ofi+sockets", 10_001, "port 10001 on lo is also the server's port"],
    ["ofi+tcp;ofi_rxm", 9_998, "port 9998 on lo is too near to the server's port 10001"],
    ["ofi+sockets", 9_997, undefined],
    ["ofi+sockets", 10_002, undefined],
    ["ofi+verbs;ofi_rxm", 10_001, undefined],
    ["ofi+sockets", 0, undefined],
  ])(
    "findSharing() compares the ports of an engine with %s at %i with the server's",
    (provider, port, problem) => {
      const found = reports([{ ...engine(0, []), provider, fabricIfacePort: port }], {
        serverPorts: [["port", 10_001]],
      });
      expect(found).toEqual(
        problem === undefined
          ? []
          : [expect.stringContaining(`warning servers[0].fabric_iface_port: ${problem}`)],
      );
    },
  );

  it("findSharing() finds a log that an engine shares with the server", () => {
    const logs = { serverLogs: [["control_log_file", "/var/log/daos.log"]] } as const;
    expect(reports([{ ...engine(0, []), logFile: "/var/log/daos.log" }], logs)).toEqual([
      "warning servers[0].log_file: control_log_file is /var/log/daos.log too",
    ]);
    expect(reports([{ ...engine(0, []), logFile: "/var/log/engine.log" }], logs)).toEqual([]);
  });

  it("findSharing() finds files in the place of NVMe that lie in memory storage", () => {
    const files = (index: number, path: string) => ({
      ...engine(index, []),
      bdev: { class: "file" as const, list: [path], number: 0, sizeGB: 1 },
    });
    expect(reports([engine(0, []), files(1, "/mnt/daos0/bdev")])).toEqual([
      "warning servers[1].bdev_list[0]: /mnt/daos0/bdev lies in the memory storage /mnt/daos0 of servers[0], and is erased with it",
    ]);
    expect(reports([files(0, "/mnt/daos00/bdev")])).toEqual([]);
  });
});

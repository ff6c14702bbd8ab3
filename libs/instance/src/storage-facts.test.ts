import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineConfig } from "@daos/config";
import { createSuperblock, writeSuperblock } from "@daos/superblock";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deviceLosses, readStorageFacts, type StorageFacts, storageLosses } from "./storage-facts.ts";

const mount = "/mnt/daos0";
const tmpfs = { source: "tmpfs", fsType: "tmpfs", device: "0:51" };
const accepted: StorageFacts = {
  mounted: tmpfs,
  directory: "51:1",
  superblock: { kind: "uuid", uuid: "uuid-0" },
  directories: ["NEWBORNS", "control_plane"],
  devices: { "/dev/sdb": "block 2064", "/var/bdev0": "64769:7" },
};

describe("storageLosses()", () => {
  const missing = { kind: "missing" } as const;
  const cases: readonly (readonly [string, Partial<StorageFacts>, readonly string[]])[] = [
    ["nothing has changed", {}, []],
    ["there is something new", { directories: ["NEWBORNS", "ZOMBIES", "control_plane"] }, []],
    [
      "the mount is gone",
      { mounted: undefined, directory: "64769:99", superblock: missing, directories: [] },
      ["/mnt/daos0 is not mounted any more (it was tmpfs tmpfs, device 0:51)"],
    ],
    [
      "the directory is gone",
      { mounted: undefined, directory: undefined, superblock: missing },
      ["/mnt/daos0 does not exist any more"],
    ],
    [
      "something else is mounted",
      { mounted: { source: "/dev/sda1", fsType: "ext4", device: "8:1" } },
      ["ext4 /dev/sda1, device 8:1 is mounted at /mnt/daos0, where tmpfs tmpfs, device 0:51 was"],
    ],
    [
      "another directory is there",
      { directory: "51:2" },
      ["/mnt/daos0 is another directory than before (51:2, not 51:1)"],
    ],
    [
      "the superblock is gone",
      { superblock: missing, directories: [] },
      ["the superblock in /mnt/daos0 is missing"],
    ],
    [
      "the superblock is another engine's",
      { superblock: { kind: "uuid", uuid: "uuid-1" } },
      ["the superblock in /mnt/daos0 is that of another engine (uuid-1, not uuid-0)"],
    ],
    ["the superblock is damaged", { superblock: { kind: "unreadable", reason: "torn" } }, ["torn"]],
    [
      "the file system is read-only",
      { isReadOnly: true },
      [
        "/mnt/daos0 is read-only: it was mounted so, or the kernel made it so after an error of its file system (dmesg)",
      ],
    ],
    [
      "a directory is gone",
      { directories: ["NEWBORNS"] },
      ["the directory /mnt/daos0/control_plane is missing"],
    ],
  ];
  it.each(cases)("says what is lost when %s", (_, change, losses) => {
    expect(storageLosses(mount, accepted, { ...accepted, ...change })).toEqual(losses);
  });

  it("compares the superblock when the storage was mounted again", () => {
    const again = { ...accepted, mounted: { ...tmpfs, device: "0:77" }, directory: "77:1" };
    expect(storageLosses(mount, accepted, again)).toHaveLength(1);
    expect(storageLosses(mount, accepted, again, { remounted: true })).toEqual([]);
    const empty = { ...again, superblock: missing };
    expect(storageLosses(mount, accepted, empty, { remounted: true })).toHaveLength(1);
    const bare = { ...again, mounted: undefined };
    expect(storageLosses(mount, accepted, bare, { remounted: true })).toHaveLength(1);
  });
});

it("deviceLosses() names devices that are missing or were replaced", () => {
  expect(deviceLosses(accepted, accepted)).toEqual([]);
  expect(deviceLosses(accepted, { devices: { "/dev/sdb": "block 2064" } })).toEqual([
    "the bdev /var/bdev0 is missing",
  ]);
  expect(deviceLosses(accepted, { devices: { ...accepted.devices, "/dev/sdb": "block 9" } })).toEqual([
    "the bdev /dev/sdb is another file or device than before",
  ]);
});

describe("readStorageFacts()", () => {
  let directory = "";
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "daos-facts-"));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it("sees a directory, its superblock and its files, and detects a replacement", async () => {
    const scm = join(directory, "scm");
    const bdev = join(directory, "bdev");
    const config = {
      scm: { class: "ram", mount: scm, sizeGiB: 1 },
      bdev: { class: "file", list: [bdev], number: 0, sizeGB: 1 },
      systemName: "daos_server",
    } as unknown as EngineConfig;
    await mkdir(join(scm, "control_plane"), { recursive: true });
    await writeFile(bdev, "");
    const superblock = createSuperblock({ system: "daos_server", replica: "none" });
    await writeSuperblock(scm, superblock);
    const first = await readStorageFacts(config);
    expect(first).toMatchObject({
      mounted: undefined,
      superblock: { kind: "uuid", uuid: superblock.uuid },
      directories: ["control_plane"],
    });
    expect(Object.keys(first.devices)).toEqual([bdev]);

    await rename(scm, join(directory, "moved"));
    expect(storageLosses(scm, first, await readStorageFacts(config))).toEqual([
      `${scm} does not exist any more`,
    ]);
    await mkdir(scm);
    await writeSuperblock(scm, superblock);
    expect(storageLosses(scm, first, await readStorageFacts(config))).toHaveLength(1);
  });

  it("treats a bare mount point that only root may read as one without a superblock", async () => {
    const scm = join(directory, "scm");
    await mkdir(scm);
    await chmod(directory, 0o755);
    const isRoot = process.geteuid?.() === 0;
    await chmod(scm, isRoot ? 0o700 : 0);
    if (isRoot) process.seteuid?.(65534);
    try {
      const facts = await readStorageFacts({ scm: { mount: scm }, bdev: {} } as unknown as EngineConfig);
      expect(facts).toMatchObject({ mounted: undefined, superblock: { kind: "missing" }, directories: [] });
      expect(storageLosses(scm, accepted, facts)).toEqual([
        `${scm} is not mounted any more (it was tmpfs tmpfs, device 0:51)`,
      ]);
    } finally {
      if (isRoot) process.seteuid?.(0);
      await chmod(scm, 0o700);
    }
  });
});

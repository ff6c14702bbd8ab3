import { mkdir, mkdtemp, readFile, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { parseRank } from "@daos/rank";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeSuperblock } from "./codec.ts";
import { createSuperblock } from "./superblock.ts";
import { readSuperblock, superblockPath, writeSuperblock } from "./superblock-file.ts";

const system = "daos_server";
let mount = "";
beforeEach(async () => {
  mount = await mkdtemp(join(tmpdir(), "daos-superblock-"));
});
afterEach(() => rm(mount, { recursive: true }));

describe("createSuperblock()", () => {
  it.each([
    ["bootstrap", undefined, { rank: 0, validRank: true, ms: true, createMs: true, bootstrapMs: true }],
    ["bootstrap", 7, { rank: 7, validRank: true, ms: true, createMs: true, bootstrapMs: true }],
    [
      "replica",
      undefined,
      { rank: undefined, validRank: false, ms: true, createMs: true, bootstrapMs: false },
    ],
    ["replica", 2, { rank: 2, validRank: false, ms: true, createMs: true, bootstrapMs: false }],
    [
      "none",
      undefined,
      { rank: undefined, validRank: false, ms: false, createMs: false, bootstrapMs: false },
    ],
  ] as const)("for %s with rank %s", (replica, rank, expected) => {
    expect(
      createSuperblock({ system, replica, rank: rank === undefined ? undefined : parseRank(rank) }),
    ).toEqual({
      version: 0,
      uuid: expect.stringMatching(/^[0-9a-f-]{36}$/),
      system,
      ...expected,
    });
  });
});

describe("readSuperblock() and writeSuperblock()", () => {
  it("keep the content in a file that only its owner can read", async () => {
    for (const replica of ["bootstrap", "replica", "none"] as const) {
      const superblock = createSuperblock({ system, replica });
      await writeSuperblock(mount, superblock);
      expect(await readSuperblock(mount, { system })).toEqual(superblock);
    }
    expect((await stat(superblockPath(mount))).mode & 0o777).toBe(0o600);
  });

  it("leave the content of the last writer when several write at once", async () => {
    const superblocks = Array.from({ length: 20 }, () => createSuperblock({ system, replica: "none" }));
    await Promise.all(superblocks.map((superblock) => writeSuperblock(mount, superblock)));
    expect(await readSuperblock(mount, { system })).toEqual(superblocks.at(-1));
  });

  it("use the keys of release 0.8.0 in its order, then the checksum", async () => {
    await writeSuperblock(mount, createSuperblock({ system, replica: "none" }));
    const lines = (await readFile(superblockPath(mount), "utf8")).trimEnd().split("\n");
    expect(lines.slice(1).map((line) => line.split(":")[0])).toEqual([
      "version",
      "uuid",
      "system",
      "rank",
      "validrank",
      "ms",
      "createms",
      "bootstrapms",
      "checksum",
    ]);
    expect(lines[4]).toBe("rank: null");
  });

  it("read the file of release 0.8.0", async () => {
    await writeFile(
      superblockPath(mount),
      "version: 0\nuuid: 7d4e2c80-3b6c-4a53-9d4b-0a6a3e1f5d11\nsystem: daos_server\nrank: 3\nvalidrank: true\nms: true\ncreatems: false\nbootstrapms: false\n",
    );
    expect(await readSuperblock(mount, { system })).toEqual({
      version: 0,
      uuid: "7d4e2c80-3b6c-4a53-9d4b-0a6a3e1f5d11",
      system,
      rank: 3,
      validRank: true,
      ms: true,
      createMs: false,
      bootstrapMs: false,
    });
  });

  it("return undefined when there is no file", async () => {
    expect(await readSuperblock(mount, { system })).toBeUndefined();
  });

  const good = encodeSuperblock(createSuperblock({ system, replica: "none" }));
  it.each([
    ["an empty file", "", FaultCode.superblockMalformed, "is empty"],
    ["a torn file", good.slice(0, -20), FaultCode.superblockMalformed, "end is missing"],
    ["a changed file", good.replace("ms: false", "ms: true"), FaultCode.superblockMalformed, "checksum"],
    ["no YAML", "[", FaultCode.superblockMalformed, "not YAML"],
    ["a missing key", "version: 0\n", FaultCode.superblockMalformed, "uuid is missing"],
    ["a newer version", "version: 1\n", FaultCode.superblockNewerVersion, "version 1"],
  ])("refuse %s", async (_, text, code, message) => {
    await writeFile(superblockPath(mount), text);
    await expect(readSuperblock(mount, { system })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
      // The server ends with this fault, and a format needs a server.
      resolution: expect.stringContaining(
        `move ${superblockPath(mount)} away, start daos-server again, then dmg storage format --reformat`,
      ),
    });
  });

  it("refuse the superblock of another system", async () => {
    await writeSuperblock(mount, createSuperblock({ system: "yes", replica: "none" }));
    await expect(readSuperblock(mount, { system })).rejects.toMatchObject({
      code: FaultCode.superblockOtherSystem,
      message: expect.stringContaining('"yes"'),
    });
  });

  it("refuse a directory, a symbolic link and a file that is far too large", async () => {
    const path = superblockPath(mount);
    await mkdir(path);
    await expect(readSuperblock(mount, { system })).rejects.toMatchObject({
      code: FaultCode.superblockUnreadable,
      message: expect.stringContaining("directory"),
    });
    await rm(path, { recursive: true });
    await writeFile(join(mount, "elsewhere"), good);
    await symlink("elsewhere", path);
    await expect(readSuperblock(mount, { system })).rejects.toMatchObject({
      code: FaultCode.superblockUnreadable,
      message: expect.stringContaining("symbolic link"),
    });
    await rm(path);
    await writeFile(path, "");
    await truncate(path, 1024 * 1024 * 1024);
    await expect(readSuperblock(mount, { system })).rejects.toMatchObject({
      code: FaultCode.superblockMalformed,
    });
  });
});

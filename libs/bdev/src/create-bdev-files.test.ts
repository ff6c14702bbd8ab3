import { mkdir, mkdtemp, readdir, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { FakeCommandRunner } from "@daos/sys/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BdevStorage } from "./bdev-types.ts";
import { bdevFileSize, createBdevFiles } from "./create-bdev-files.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-bdev-"));
});
afterEach(() => rm(directory, { recursive: true }));

const files = (sizeGB: number, ...names: string[]): BdevStorage => ({
  class: "file",
  list: names.map((name) => join(directory, name)),
  number: 0,
  sizeGB,
});

describe("bdevFileSize()", () => {
  it.each([
    [1, 999_997_440n],
    [4, 3_999_997_952n],
    [16, 16_000_000_000n],
    [0.000_001, 0n],
  ])("of %s GB is %s bytes", (sizeGB, bytes) => {
    expect(bdevFileSize(sizeGB)).toBe(bytes);
  });
});

describe("createBdevFiles()", () => {
  it("allocates the space of each file", async () => {
    await createBdevFiles(files(0.001, "a", "b"));
    for (const name of ["a", "b"]) {
      const { size, blocks, mode } = await stat(join(directory, name));
      expect([size, blocks * 512 >= size, mode & 0o777]).toEqual([999_424, true, 0o600]);
    }
  });

  it("keeps a file that exists", async () => {
    await writeFile(join(directory, "a"), "data");
    await createBdevFiles(files(0.001, "a"));
    expect((await stat(join(directory, "a"))).size).toBe(4);
  });

  it("makes a file anew that a crash has left empty or half made, and keeps one that is not a file", async () => {
    await writeFile(join(directory, "a"), "");
    await writeFile(join(directory, ".a.unfinished"), "half");
    await createBdevFiles(files(0.001, "a"));
    expect(await readdir(directory)).toEqual(["a"]);
    expect((await stat(join(directory, "a"))).size).toBe(999_424);
    await mkdir(join(directory, "b"));
    await createBdevFiles(files(0.001, "b"));
    expect((await stat(join(directory, "b"))).isDirectory()).toBe(true);
  });

  it("keeps a link, and refuses one to a file that does not exist", async () => {
    await writeFile(join(directory, "empty"), "");
    await symlink("empty", join(directory, "a"));
    await createBdevFiles(files(0.001, "a"));
    await symlink("not-mounted/bdev", join(directory, "b"));
    await expect(createBdevFiles(files(0.001, "b"))).rejects.toMatchObject({
      code: FaultCode.bdevFileFailed,
      message: expect.stringContaining("it is a link to a file that does not exist"),
    });
    expect(await readdir(directory)).toEqual(["a", "b", "empty"]);
  });

  it("shows no file before it is complete", async () => {
    const seen: string[] = [];
    const runner = new FakeCommandRunner().on("fallocate", async (argv) => {
      seen.push(...(await readdir(directory)));
      await truncate(String(argv.at(-1)), 999_424);
      return "";
    });
    await createBdevFiles(files(0.001, "a"), { runner });
    expect(seen).toEqual([".a.unfinished"]);
    expect(await readdir(directory)).toEqual(["a"]);
  });

  it.each([
    ["is not installed", (runner: FakeCommandRunner) => runner.missing("fallocate")],
    [
      "is not supported",
      (runner: FakeCommandRunner) =>
        runner.on("fallocate", {
          exitCode: 1,
          stderr: "fallocate: fallocate failed: Operation not supported",
        }),
    ],
  ])("makes a sparse file where fallocate %s", async (_, prepare) => {
    await createBdevFiles(files(0.001, "a"), { runner: prepare(new FakeCommandRunner()) });
    expect((await stat(join(directory, "a"))).size).toBe(999_424);
  });

  it("fails with the free and the needed space before it begins", async () => {
    await expect(createBdevFiles(files(1e9, "a"))).rejects.toMatchObject({
      code: FaultCode.bdevFileNoSpace,
      description: expect.stringMatching(/of 1000000000\.00 GB: the file system has [\d.]+ GB free$/),
    });
    expect(await readdir(directory)).toEqual([]);
  });

  it.each([
    ["the disk fills up", "fallocate: fallocate failed: No space left on device", FaultCode.bdevFileNoSpace],
    ["of another failure", "fallocate: fallocate failed: Input/output error", FaultCode.bdevFileFailed],
  ])("removes a partial file when %s", async (_, stderr, code) => {
    const runner = new FakeCommandRunner().on("fallocate", async (argv) => {
      await truncate(String(argv.at(-1)), 4096);
      return { exitCode: 1, stderr };
    });
    await expect(createBdevFiles(files(0.001, "a"), { runner })).rejects.toMatchObject({ code });
    expect(await readdir(directory)).toEqual([]);
  });

  it("removes a partial file when its signal aborts", async () => {
    const controller = new AbortController();
    const runner = new FakeCommandRunner().on("fallocate", () => {
      controller.abort("stop");
      throw controller.signal.reason;
    });
    await expect(createBdevFiles(files(0.001, "a"), { runner, signal: controller.signal })).rejects.toBe(
      "stop",
    );
    expect(await readdir(directory)).toEqual([]);
  });

  it("refuses relative paths, no size, and a directory that is missing", async () => {
    const relative: BdevStorage = { class: "file", list: ["bdev0"], number: 0, sizeGB: 1 };
    await expect(createBdevFiles(relative)).rejects.toMatchObject({
      code: FaultCode.bdevFormatInvalidParameter,
    });
    await expect(createBdevFiles(files(0, "a"))).rejects.toMatchObject({
      code: FaultCode.bdevFormatInvalidParameter,
    });
    await expect(createBdevFiles(files(0.001, "no/a"))).rejects.toMatchObject({
      code: FaultCode.bdevFileFailed,
    });
  });

  it("does nothing for other classes", async () => {
    await createBdevFiles({ ...files(1, "a"), class: "kdev" });
    expect(await readdir(directory)).toEqual([]);
  });
});

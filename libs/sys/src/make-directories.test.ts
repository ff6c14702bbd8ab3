import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeDirectories } from "./make-directories.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-sys-"));
});
afterEach(() => rm(directory, { recursive: true }));

it("makeDirectories() makes missing directories, and leaves existing ones", async () => {
  const path = join(directory, "a/b/c");
  await makeDirectories(path, { mode: 0o700 });
  await makeDirectories(path, { mode: 0o755 });
  expect((await stat(path)).mode & 0o777).toBe(0o700);
});

it.each(["/proc/daos/scm", "/proc/1/daos"])("makeDirectories() ends at %s", async (path) => {
  await expect(makeDirectories(path, { mode: 0o700 })).rejects.toMatchObject({ code: "ENOENT" });
});

it("makeDirectories() reports a file in the way", async () => {
  await writeFile(join(directory, "file"), "");
  await expect(makeDirectories(join(directory, "file/below"), { mode: 0o700 })).rejects.toMatchObject({
    code: "ENOTDIR",
  });
});

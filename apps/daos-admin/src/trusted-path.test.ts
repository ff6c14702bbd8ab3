import { constants } from "node:fs";
import { chmod, link, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { trustedDirectory } from "./testing/trusted-directory.ts";
import { openTrusted, requireTrustedParents } from "./trusted-path.ts";

const me = { uid: process.getuid?.() ?? 0 };

const place = await trustedDirectory();
const untrusted = expect.objectContaining({ code: FaultCode.helperUntrustedPath });
// The tests need a directory whose parents all belong to root or to the user.
describe.skipIf(place === undefined)("a trusted path", () => {
  let directory = "";
  beforeEach(async () => {
    directory = await mkdtemp(join(place ?? "", ".daos-trust-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const open = (path: string) => openTrusted(path, constants.O_RDONLY, me);

  it("openTrusted() opens a trusted file", async () => {
    await writeFile(join(directory, "file"), "text", { mode: 0o600 });
    await using file = await open(join(directory, "file"));
    expect(await file?.readFile("utf8")).toBe("text");
  });

  it("openTrusted() returns undefined for a missing file", async () => {
    expect(await open(join(directory, "file"))).toBeUndefined();
    expect(await open(join(directory, "a/b/c"))).toBeUndefined();
    await requireTrustedParents(join(directory, "a/b/c"), me);
  });

  it("openTrusted() refuses a symbolic link as the last part", async () => {
    await symlink("/etc/passwd", join(directory, "link"));
    await expect(open(join(directory, "link"))).rejects.toThrowError(untrusted);
    await expect(requireTrustedParents(join(directory, "link"), me)).rejects.toThrowError(untrusted);
  });

  it("openTrusted() refuses a symbolic link in the middle", async () => {
    await symlink("/etc", join(directory, "link"));
    await expect(open(join(directory, "link/passwd"))).rejects.toThrowError(untrusted);
    await expect(requireTrustedParents(join(directory, "link/passwd"), me)).rejects.toThrowError(untrusted);
  });

  it.each([0o620, 0o602, 0o666])("openTrusted() refuses a file of mode %o", async (mode) => {
    await writeFile(join(directory, "file"), "");
    await chmod(join(directory, "file"), mode);
    await expect(open(join(directory, "file"))).rejects.toThrowError(untrusted);
  });

  it.each([0o770, 0o707, 0o1777])("openTrusted() refuses a directory of mode %o", async (mode) => {
    await mkdir(join(directory, "open"));
    await writeFile(join(directory, "open/file"), "");
    await chmod(join(directory, "open"), mode);
    await expect(open(join(directory, "open/file"))).rejects.toThrowError(untrusted);
    await expect(requireTrustedParents(join(directory, "open/file"), me)).rejects.toThrowError(untrusted);
  });

  it("openTrusted() refuses a directory in place of a file", async () => {
    await expect(open(directory)).rejects.toThrowError(untrusted);
  });

  it("openTrusted() does not wait for a FIFO", async () => {
    const { spawnSync } = await import("node:child_process");
    spawnSync("mkfifo", [join(directory, "fifo")]);
    await chmod(join(directory, "fifo"), 0o600);
    await expect(open(join(directory, "fifo"))).rejects.toThrowError(untrusted);
  });

  it("openTrusted() requires that root or the installation's user owns the path", async () => {
    await writeFile(join(directory, "file"), "");
    const other = openTrusted(join(directory, "file"), constants.O_RDONLY, { uid: me.uid + 1 });
    if (me.uid === 0) await (await other)?.close();
    else await expect(other).rejects.toThrowError(untrusted);
  });

  it("openTrusted() accepts a file with a second hard link", async () => {
    await writeFile(join(directory, "file"), "", { mode: 0o600 });
    await link(join(directory, "file"), join(directory, "second"));
    await (await open(join(directory, "second")))?.close();
  });
});

describe("a path that is not absolute and normal", () => {
  it.each(["", "x", "./x", "/a/../b", "/a/./b", "/a//b", "/a/"])(
    "requireTrustedParents() refuses %j",
    async (path) => {
      await expect(requireTrustedParents(path)).rejects.toThrowError(untrusted);
    },
  );
});

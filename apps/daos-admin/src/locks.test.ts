import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { FaultCode, hasCode } from "@daos/fault";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fileLocks, takeAll } from "./locks.ts";
import { trustedDirectory } from "./testing/trusted-directory.ts";
import { ToolRunner } from "./tool-runner.ts";

const uid = process.getuid?.() ?? 0;
const place = await trustedDirectory();

describe.skipIf(place === undefined)("fileLocks(), with the real flock", () => {
  let directory = "";
  const signal = new AbortController().signal;
  const runner = new ToolRunner();
  const locks = (holder = "ScmFormat, process 1") =>
    fileLocks({
      directory: join(directory, "locks"),
      lockFile: (file, options) => runner.lock(file, options),
      holder,
      trust: { uid },
    });

  async function isTaken(what: string): Promise<boolean> {
    try {
      await using _held = await locks().take({ what }, { waitMs: 0, signal });
      return false;
    } catch (error) {
      if (hasCode(error, FaultCode.helperBusy)) return true;
      throw error;
    }
  }

  beforeEach(async () => {
    directory = await mkdtemp(join(place ?? "", "locks-"));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it("fileLocks() grants a lock to one process at a time, and names its holder", async () => {
    const first = await locks().take({ what: "/mnt/daos0" }, { waitMs: 0, signal });
    await expect(locks().take({ what: "/mnt/daos0" }, { waitMs: 100, signal })).rejects.toMatchObject({
      code: FaultCode.helperBusy,
      description: expect.stringContaining("cannot use /mnt/daos0"),
      reason: expect.stringContaining("ScmFormat, process 1"),
    });
    const other = await locks().take({ what: "/mnt/daos1" }, { waitMs: 0, signal });
    const waiting = locks().take({ what: "/mnt/daos0" }, { waitMs: 60_000, signal });
    await first[Symbol.asyncDispose]();
    await (await waiting)[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
  });

  it("fileLocks() grants a shared lock to several processes", async () => {
    await using _one = await locks().take({ what: "nvme", shared: true }, { waitMs: 0, signal });
    await using _two = await locks().take({ what: "nvme", shared: true }, { waitMs: 0, signal });
    await expect(locks().take({ what: "nvme" }, { waitMs: 0, signal })).rejects.toMatchObject({
      code: FaultCode.helperBusy,
    });
  });

  it("fileLocks() ends a wait and releases all locks when the caller disconnects", async () => {
    const held = await locks().take({ what: "b" }, { waitMs: 0, signal });
    const gone = new AbortController();
    const waiting = takeAll(locks(), [{ what: "b" }, { what: "a" }], {
      waitMs: 60_000,
      signal: gone.signal,
    });
    // With the first lock held, it waits for the second.
    await vi.waitFor(async () => expect(await isTaken("a")).toBe(true), { timeout: 30_000 });
    gone.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
    await using _free = await locks().take({ what: "a" }, { waitMs: 0, signal });
    await held[Symbol.asyncDispose]();
  });

  it("fileLocks() does not wait when the caller disconnected before", async () => {
    await using _held = await locks().take({ what: "b" }, { waitMs: 0, signal });
    const gone = new AbortController();
    const waiting = locks().take({ what: "b" }, { waitMs: 60_000, signal: gone.signal });
    gone.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
  });

  it("fileLocks() releases the locks of a killed process", async () => {
    await using _made = await locks().take({ what: "x", shared: true }, { waitMs: 0, signal });
    await _made[Symbol.asyncDispose]();
    const [name = ""] = await readdir(join(directory, "locks"));
    const script = "echo taken; exec sleep 60";
    const holder = spawn("flock", ["-x", "--no-fork", join(directory, "locks", name), "sh", "-c", script]);
    const ended = once(holder, "exit");
    try {
      await once(holder.stdout, "data");
      expect(await isTaken("x")).toBe(true);
    } finally {
      holder.kill("SIGKILL");
    }
    await ended;
    await using _free = await locks().take({ what: "x" }, { waitMs: 60_000, signal });
  });

  it("fileLocks() makes files that only root can open, in a directory of root's", async () => {
    await using _held = await locks().take({ what: "x" }, { waitMs: 0, signal });
    const path = join(directory, "locks");
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(path)) expect((await stat(join(path, name))).mode & 0o777).toBe(0o600);
  });

  it.each([
    ["a link", () => symlink("/tmp", join(directory, "locks"))],
    [
      "writable by others",
      async () => {
        await mkdir(join(directory, "locks"));
        await chmod(join(directory, "locks"), 0o777);
      },
    ],
  ])("fileLocks() refuses a lock when its directory is %s", async (_, prepare) => {
    await prepare();
    await expect(locks().take({ what: "x" }, { waitMs: 0, signal })).rejects.toMatchObject({
      code: FaultCode.helperUntrustedPath,
    });
  });
});

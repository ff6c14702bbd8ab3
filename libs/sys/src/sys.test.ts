import { getEventListeners } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { claimOf } from "./block-claim.ts";
import { abortable, deadline, delay, isTimeout } from "./deadline.ts";
import { exists, isVisible } from "./exists.ts";
import { hasSysAdmin } from "./mount-table.ts";
import { isMountedOrBelow, isReadOnly, listMounts, mountAt, parseMountInfo } from "./mounts.ts";
import { lookUpGroup, lookUpUser } from "./owner.ts";
import { ProcessCommandRunner } from "./run-command.ts";
import { linuxSysTree } from "./sys-tree.ts";
import { FakeCommandRunner, FakeSysTree, SmallFileSystem } from "./testing/index.ts";
import { writeFileAtomic } from "./write-file-atomic.ts";

describe("deadline() and abortable()", () => {
  it("deadline() asks a function again when the time that it has given is over", async () => {
    let given = 5;
    const allowed = vi.fn(() => given);
    using limit = deadline(allowed, "the engine");
    given = 60_000;
    await vi.waitFor(() => expect(allowed).toHaveBeenCalledTimes(2));
    expect(limit.signal.aborted).toBe(false);
  });

  it("abort with a reason that names the awaited event", async () => {
    using limit = deadline(5, "the engine");
    const error = await delay(5_000, limit).catch((reason: unknown) => reason);
    expect(isTimeout(error)).toBe(true);
    expect(String(error)).toContain('no end of "the engine" within 5 ms');
  });

  it("pass on the reason of the parent, also of one that aborted before", () => {
    const reason = new Error("stop");
    using early = deadline(60_000, "x", AbortSignal.abort(reason));
    expect(early.signal.reason).toBe(reason);
  });

  it("give up on work that never ends", async () => {
    await expect(abortable(new Promise(() => {}), AbortSignal.abort("gone"))).rejects.toBe("gone");
    await expect(abortable(Promise.resolve(3), new AbortController().signal)).resolves.toBe(3);
  });

  it("abortable() gives up at its own time limit, and leaves nothing with the signal", async () => {
    const { signal } = new AbortController();
    const limit = { ms: 5, waitingFor: "the engine" };
    const error = await abortable(new Promise(() => {}), signal, limit).catch((reason: unknown) => reason);
    expect(String(error)).toContain('no end of "the engine" within 5 ms');
    await abortable(Promise.resolve(), signal, { ...limit, ms: 60_000 });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

describe("writeFileAtomic", () => {
  let directory = "";
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "daos-sys-"));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it("replaces the content and leaves nothing else behind", async () => {
    const path = join(directory, "file");
    await writeFile(path, "old");
    await writeFileAtomic(path, "new", { mode: 0o600 });
    expect(await readFile(path, "utf8")).toBe("new");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(["file"]);
  });

  it("keeps the old file when the new one cannot take its place", async () => {
    await expect(writeFileAtomic(directory, "x", { mode: 0o600 })).rejects.toThrow();
    expect(await readdir(directory)).toEqual([]);
  });

  it("names the file that it could not write, not the temporary one", async () => {
    await writeFile(join(directory, "file"), "");
    const path = join(directory, "file", "f");
    await expect(writeFileAtomic(path, "x", { mode: 0o600 })).rejects.toMatchObject({
      code: "ENOTDIR",
      path,
      message: `ENOTDIR: not a directory, write '${path}'`,
    });
  });

  it.runIf(process.geteuid?.() === 0)("names the file for which there is no room", async () => {
    using small = new SmallFileSystem(1);
    small.fill();
    const path = join(small.path, "f");
    await expect(writeFileAtomic(path, "x", { mode: 0o600 })).rejects.toMatchObject({
      code: "ENOSPC",
      path,
      message: `ENOSPC: no space left on device, write '${path}'`,
    });
    expect(await readdir(small.path)).toEqual(["other-data"]);
  });
});

describe("ProcessCommandRunner", () => {
  const runner = new ProcessCommandRunner();

  it("answers with output and exit code", async () => {
    const result = await runner.run(["sh", "-c", "cat; echo bad >&2; exit 3"], { stdin: "in" });
    expect(result).toEqual({ exitCode: 3, signal: null, stdout: "in", stderr: "bad\n" });
  });

  it("does not pass on the caller's environment", async () => {
    const { stdout } = await runner.run(["env"]);
    expect(stdout.split("\n").map((line) => line.split("=")[0])).toEqual(["PATH", "LC_ALL", ""]);
  });

  it("kills a command at its time limit, at an abort, and at too much output", async () => {
    await expect(runner.run(["sleep", "60"], { timeoutMs: 20 })).rejects.toThrow("killed after 20 ms");
    await expect(runner.run(["sleep", "60"], { signal: AbortSignal.timeout(20) })).rejects.toThrow();
    await expect(runner.run(["cat", "/dev/zero"])).rejects.toThrow("printed more than");
  });

  it("does not wait for what a killed command left in the background", async () => {
    const work = runner.run(["sh", "-c", "sleep 60 & echo; wait"], { timeoutMs: 200 });
    await expect(work).rejects.toThrow("killed after 200 ms");
  });

  it("says when there is no such tool", async () => {
    await expect(runner.run(["no-such-tool"])).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("parseMountInfo(), isMountedOrBelow() and listMounts()", () => {
  const mounts = parseMountInfo(
    "22 1 0:21 / / rw - ext4 /dev/vda rw\n" +
      "30 22 0:30 / /mnt/da\\040os rw,relatime shared:5 - tmpfs tmpfs rw,size=4g\n",
  );

  it("read mounts with their escapes", () => {
    expect(mountAt(mounts, "/mnt/da os")).toEqual({
      mountPoint: "/mnt/da os",
      source: "tmpfs",
      fsType: "tmpfs",
      options: "rw,relatime,rw,size=4g",
      device: "0:30",
    });
  });

  it.each([
    ["/mnt/da os", true],
    ["/mnt/da os/1", true],
    ["/mnt/da os/1/2", false],
    ["/mnt", true],
    ["/srv/daos", false],
  ])("count %s as mounted: %s", (path, expected) => {
    expect(isMountedOrBelow(mounts, path)).toBe(expected);
  });

  it.each([
    ["/mnt/daos", "rw,relatime,rw,errors=remount-ro", false],
    ["/mnt/daos", "rw,relatime,ro,errors=remount-ro", true],
    ["/mnt/daos", "ro,relatime,rw", true],
    ["/mnt/daos/engine0", "rw,relatime,rw,errors=remount-ro,emergency_ro", true],
    ["/mnt/daos2", "ro,relatime,ro", false],
  ])("isReadOnly() reads for %s of a file system with %s: %s", (path, options, expected) => {
    const entry = { mountPoint: "/mnt/daos", source: "/dev/pmem0", fsType: "ext4", options };
    const root = { mountPoint: "/", source: "/dev/vda", fsType: "ext4", options: "rw" };
    expect(isReadOnly([root, entry], path)).toBe(expected);
    expect(isReadOnly([entry, root], path)).toBe(expected);
  });

  it("isReadOnly() goes by the newest mount of a directory, and by the root", () => {
    const on = (mountPoint: string, options: string) => ({
      mountPoint,
      source: "x",
      fsType: "ext4",
      options,
    });
    expect(isReadOnly([on("/", "rw"), on("/mnt", "ro"), on("/mnt", "rw")], "/mnt")).toBe(false);
    expect(isReadOnly([on("/", "ro,rw"), on("/srv", "rw")], "/mnt")).toBe(true);
  });

  it("find the root of this machine", async () => {
    expect(mountAt(await listMounts(), "/")).toBeDefined();
  });
});

describe("hasSysAdmin", () => {
  it.each([
    ["Name:\tnode\nCapEff:\t000001ffffffffff\n", true],
    ["CapEff:\t0000000000000000\n", false],
    ["CapEff:\t00000000a80425fb\n", false],
    ["CapPrm:\t000001ffffffffff\n", false],
  ])("of %j is %s", (status, expected) => {
    expect(hasSysAdmin(status)).toBe(expected);
  });
});

describe("claimOf", () => {
  it("distinguishes a missing device from a free one", async () => {
    expect(await claimOf("/dev/no-such-device")).toBe("missing");
    expect(await claimOf("/dev/null")).toBe("free");
  });

  /** As the kernel: a disk and its partitions have one exclusive user. */
  function disk() {
    let users = 0;
    let attempts = 0;
    const openExclusively = async () => {
      attempts += 1;
      if (users > 0) throw Object.assign(new Error("busy"), { code: "EBUSY" });
      users += 1;
      return { close: async () => use(-1) };
    };
    const use = (more: number) => {
      users += more;
    };
    return { openExclusively, use, attempts: () => attempts };
  }

  it("claimOf() does not count a concurrent check of the disk or a partition as a claim", async () => {
    const { openExclusively } = disk();
    const devices = ["/dev/nvme0n1", "/dev/nvme0n1", "/dev/nvme0n1p2", "/dev/nvme0n1"];
    const claims = await Promise.all(devices.map((device) => claimOf(device, { openExclusively })));
    expect(claims).toEqual(["free", "free", "free", "free"]);
  });

  it("claimOf() checks again, because another process may check at the same moment, and finds a lasting claim", async () => {
    const { openExclusively, use, attempts } = disk();
    use(1);
    expect(await claimOf("/dev/nvme0n1", { openExclusively })).toBe("claimed");
    expect(attempts()).toBe(3);
    const later = claimOf("/dev/nvme0n1", { openExclusively });
    use(-1);
    expect(await later).toBe("free");
  });
});

describe("exists", () => {
  it("exists() is false only when nothing is there", async () => {
    expect(await exists("/dev/null")).toBe(true);
    expect(await exists("/no/such/file")).toBe(false);
    await expect(exists("/dev/null/below")).rejects.toMatchObject({ code: "ENOTDIR" });
  });

  it("isVisible() is false also for what cannot be looked at", async () => {
    expect(await isVisible("/dev/null")).toBe(true);
    expect(await isVisible("/dev/null/below")).toBe(false);
  });
});

describe("lookUpGroup", () => {
  it("lookUpGroup() knows root's group, and none by a name that is not there", async () => {
    const runner = new ProcessCommandRunner();
    expect(await lookUpGroup("root", { runner })).toBe(0);
    expect(await lookUpGroup("no-such-group-here", { runner })).toBeUndefined();
  });
});

describe("lookUpUser", () => {
  it("finds root, and nothing for an unknown name", async () => {
    const runner = new ProcessCommandRunner();
    expect(await lookUpUser("root", { runner })).toEqual({ uid: 0, gid: 0 });
    expect(await lookUpUser("no-such-user-here", { runner })).toBeUndefined();
  });

  it("runs nothing for a name that looks like an option", async () => {
    expect(await lookUpUser("--help", { runner: new FakeCommandRunner() })).toBeUndefined();
  });
});

describe("SysTree", () => {
  it("reads the kernel's files", async () => {
    expect(await linuxSysTree.read("/proc/sys/kernel/ostype")).toBe("Linux");
    expect(await linuxSysTree.read("/proc/no/such/file")).toBeUndefined();
    expect(await linuxSysTree.list("/proc/sys/kernel")).toContain("ostype");
    expect(await linuxSysTree.list("/proc/no/such/directory")).toEqual([]);
    expect(await linuxSysTree.resolve("/proc/self/no-such-link")).toBeUndefined();
    await expect(linuxSysTree.write("/proc/no/such/file", "1")).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("has a fake that follows links and reacts to writes", async () => {
    const tree = new FakeSysTree()
      .files({ "/sys/devices/a/driver_override": "(null)\n" })
      .link("/sys/bus/pci/devices/a", "../../../devices/a")
      .onWrite(/\/bind$/, () => {
        throw Object.assign(new Error("EBUSY"), { code: "EBUSY" });
      });
    expect(await tree.read("/sys/bus/pci/devices/a/driver_override")).toBe("(null)");
    await tree.write("/sys/bus/pci/devices/a/driver_override", "vfio-pci");
    expect(await tree.read("/sys/devices/a/driver_override")).toBe("vfio-pci");
    expect(await tree.resolve("/sys/bus/pci/devices/a")).toBe("/sys/devices/a");
    expect(await tree.list("/sys/bus/pci/devices")).toEqual(["a"]);
    await expect(tree.write("/sys/x/bind", "a")).rejects.toMatchObject({ code: "EBUSY" });
    await expect(tree.write("/sys/x/y", "a")).rejects.toMatchObject({ code: "ENOENT" });
    expect(await tree.remove("/sys/devices/a").resolve("/sys/bus/pci/devices/a")).toBeUndefined();
  });
});

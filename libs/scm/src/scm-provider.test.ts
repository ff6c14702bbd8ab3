import { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { FakeCommandRunner, FakeMountTable, FakeSysTree } from "@daos/sys/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ScmProvider } from "./scm-provider.ts";
import type { ScmStorage } from "./scm-types.ts";

let directory = "";
let mount = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-scm-"));
  mount = join(directory, "daos");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const ram = (): ScmStorage => ({ class: "ram", mount, sizeGiB: 2 });

function setUp(options: { privileged: boolean }) {
  const runner = new FakeCommandRunner();
  const mounts = new FakeMountTable(options);
  mounts.answer(runner);
  const sys = new FakeSysTree();
  return { runner, mounts, sys, scm: new ScmProvider({ runner, mounts, sys, log: silentLogger }) };
}

describe("ScmProvider, with class ram in a process that may mount,", () => {
  it("goes from unformatted to mounted and back", async () => {
    const { runner, scm } = setUp({ privileged: true });
    expect(await scm.checkFormat(ram())).toEqual({ kind: "unformatted" });
    await scm.format(ram(), { reformat: false, owner: { uid: 1000, gid: 100 } });
    expect(await scm.checkFormat(ram())).toEqual({ kind: "mounted" });
    await scm.mount(ram());
    await scm.unmount(ram());
    await scm.unmount(ram());
    expect(runner.ran).toEqual([
      `mount -t tmpfs -o size=2g,mode=0700,uid=1000,gid=100,nosuid,nodev tmpfs ${mount}`,
      `umount ${mount}`,
    ]);
    expect((await stat(mount)).mode & 0o777).toBe(0o700);
  });

  it("needs consent to format again, and then mounts an empty tmpfs", async () => {
    const { runner, scm } = setUp({ privileged: true });
    await scm.format(ram(), { reformat: false });
    await expect(scm.format(ram(), { reformat: false })).rejects.toMatchObject({
      code: FaultCode.storageAlreadyFormatted,
    });
    await scm.format(ram(), { reformat: true });
    expect(runner.ran.map((line) => line.split(" ")[0])).toEqual(["mount", "umount", "mount"]);
  });

  it("never unmounts a file system that is not SCM", async () => {
    const { mounts, runner, scm } = setUp({ privileged: true });
    mounts.mounted(mount, "/dev/sdb1", "xfs");
    for (const attempt of [
      () => scm.checkFormat(ram()),
      () => scm.format(ram(), { reformat: true }),
      () => scm.mount(ram()),
      () => scm.unmount(ram()),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: FaultCode.storageFilesystemAlreadyMounted });
    }
    expect(runner.ran).toEqual([]);
  });

  it("gives the reason of a failed mount, even when the mount printed none", async () => {
    const { runner, scm } = setUp({ privileged: true });
    runner.on("mount", { exitCode: 32, stderr: "mount: permission denied.\n" });
    await expect(scm.format(ram(), { reformat: false })).rejects.toMatchObject({
      code: FaultCode.scmMountFailed,
      reason: "mount: permission denied.",
    });
    runner.on("mount", "");
    await expect(scm.format(ram(), { reformat: false })).rejects.toThrow("nothing is mounted there");
  });

  it("says when storage is in use", async () => {
    const { runner, scm } = setUp({ privileged: true });
    await scm.format(ram(), { reformat: false });
    runner.on("umount", { exitCode: 32, stderr: `umount: ${mount}: target is busy.` });
    await expect(scm.unmount(ram())).rejects.toMatchObject({ code: FaultCode.scmMountFailed });
  });

  it("says that the mount point cannot be made, why, and what to do", async () => {
    const { runner, scm } = setUp({ privileged: true });
    await writeFile(mount, "");
    await expect(
      scm.format({ ...ram(), mount: join(mount, "scm0") }, { reformat: true }),
    ).rejects.toMatchObject({
      code: FaultCode.scmMountPointFailed,
      description: `cannot use the directory ${mount}/scm0 for SCM`,
      reason: expect.stringContaining("ENOTDIR"),
      resolution: expect.stringMatching(/move it away, or set scm_mount to another directory$/),
    });
    expect(runner.ran).toEqual([]);
  });

  it("follows no link to a mount point", async () => {
    const { scm } = setUp({ privileged: true });
    await mkdir(join(directory, "other"));
    await symlink(join(directory, "other"), mount);
    await expect(scm.format(ram(), { reformat: true })).rejects.toMatchObject({
      code: FaultCode.scmFormatInvalidParameter,
    });
  });
});

describe("ScmProvider, with class ram in a process that may not mount,", () => {
  it("makes a directory below a mount point", async () => {
    const { mounts, runner, scm } = setUp({ privileged: false });
    mounts.mounted(directory, "tmpfs", "tmpfs");
    expect(await scm.checkFormat(ram())).toEqual({ kind: "unformatted" });
    await scm.format(ram(), { reformat: false });
    expect((await stat(mount)).mode & 0o777).toBe(0o700);
    expect(await scm.checkFormat(ram())).toEqual({ kind: "mounted" });
    await scm.mount(ram());
    await scm.unmount(ram());
    expect(runner.ran).toEqual([]);
  });

  it("empties the directory only with consent, and keeps the targets of links", async () => {
    const { mounts, scm } = setUp({ privileged: false });
    mounts.mounted(directory, "tmpfs", "tmpfs");
    await mkdir(join(mount, "vos"), { recursive: true });
    await writeFile(join(mount, "vos", "rdb-pool"), "x");
    await mkdir(join(directory, "other"));
    await writeFile(join(directory, "other", "precious"), "x");
    await symlink(join(directory, "other"), join(mount, "link"));
    await expect(scm.format(ram(), { reformat: false })).rejects.toMatchObject({
      code: FaultCode.storageAlreadyFormatted,
    });
    await scm.format(ram(), { reformat: true });
    expect(await readdir(mount)).toEqual([]);
    expect(await readdir(join(directory, "other"))).toEqual(["precious"]);
  });

  it("refuses to empty a directory with another mount below it", async () => {
    const { mounts, scm } = setUp({ privileged: false });
    await mkdir(join(mount, "inner"), { recursive: true });
    mounts.mounted(directory, "tmpfs", "tmpfs").mounted(join(mount, "inner"), "nas:/home", "nfs4");
    await expect(scm.format(ram(), { reformat: true })).rejects.toMatchObject({
      code: FaultCode.storageFilesystemAlreadyMounted,
    });
    expect(await readdir(mount)).toEqual(["inner"]);
  });

  it("uses a tmpfs that root mounted", async () => {
    const { mounts, scm } = setUp({ privileged: false });
    await mkdir(mount);
    mounts.mounted(mount, "tmpfs", "tmpfs");
    expect(await scm.checkFormat(ram())).toEqual({ kind: "mounted" });
    await scm.format(ram(), { reformat: true });
  });

  it("says what root has to mount when there is no mount point", async () => {
    const { scm } = setUp({ privileged: false });
    expect(await scm.checkFormat(ram())).toEqual({ kind: "unformatted" });
    for (const attempt of [() => scm.format(ram(), { reformat: true }), () => scm.mount(ram())]) {
      await expect(attempt()).rejects.toMatchObject({
        code: FaultCode.storageNotMounted,
        resolution: expect.stringContaining(`mount -t tmpfs -o size=2g`),
      });
    }
  });
});

describe("ScmProvider, with class dcpm,", () => {
  // No block device exists on every machine, so /dev/null stands for a device that is not a block device.
  const dcpm = (device = "/dev/pmem987"): ScmStorage => ({ class: "dcpm", mount, device });

  it("recognizes a mounted device", async () => {
    const { mounts, scm } = setUp({ privileged: true });
    mounts.mounted(mount, "/dev/pmem987", "ext4", "rw,relatime,dax=always");
    expect(await scm.checkFormat(dcpm())).toEqual({ kind: "mounted" });
  });

  it("recognizes a device by a link to it", async () => {
    const { mounts, scm } = setUp({ privileged: true });
    // A link in /dev that every machine has.
    mounts.mounted(mount, await realpath("/dev/fd"), "ext4", "rw,dax");
    expect(await scm.checkFormat(dcpm("/dev/fd"))).toEqual({ kind: "mounted" });
  });

  it("recognizes a device by the uuid of its namespace, in whatever case", async () => {
    const { mounts, sys, scm } = setUp({ privileged: true });
    sys.files({
      "/sys/class/block/pmem986/device/uuid": "55bedf6f-a14a-429c-b65a-b764e01892cf\n",
      "/sys/class/block/pmem987/device/uuid": "169fafeb-9136-4262-a230-2961beb4abb1\n",
    });
    mounts.mounted(mount, "/dev/pmem987", "ext4", "rw,dax=always");
    const named = dcpm("uuid:169FAFEB-9136-4262-a230-2961beb4abb1");
    expect(await scm.checkFormat(named)).toEqual({ kind: "mounted" });
    await expect(scm.checkFormat(dcpm("uuid:00000000-9136-4262-a230-2961beb4abb1"))).rejects.toMatchObject({
      code: FaultCode.scmNamespaceMissing,
      reason: expect.stringContaining("169fafeb-9136-4262-a230-2961beb4abb1 (/dev/pmem987)"),
    });
  });

  it.each(["rw,relatime", "rw,dax=inode", "rw,dax=never", "rw,nodax"])(
    "refuses a device that is mounted with %s",
    async (options) => {
      const { mounts, scm } = setUp({ privileged: true });
      mounts.mounted(mount, "/dev/pmem987", "ext4", options);
      for (const attempt of [() => scm.checkFormat(dcpm()), () => scm.mount(dcpm())]) {
        await expect(attempt()).rejects.toMatchObject({
          code: FaultCode.scmWithoutDax,
          description: expect.stringContaining("mounted without dax"),
        });
      }
      await scm.unmount(dcpm());
      expect(mounts.entries).toEqual([]);
    },
  );

  it("changes nothing on a device that cannot be mounted with dax", async () => {
    const { sys, runner, scm } = setUp({ privileged: true });
    sys.files({ "/sys/class/block/pmem987/queue/dax": "0\n" });
    await expect(scm.format(dcpm(), { reformat: true })).rejects.toMatchObject({
      code: FaultCode.scmWithoutDax,
      resolution: expect.stringContaining("-m fsdax"),
    });
    expect(runner.ran).toEqual([]);
  });

  it.each<[use: string, begin: (sys: FakeSysTree) => void]>([
    [
      "pmem987 is the backing of loop4",
      (sys) => void sys.files({ "/sys/class/block/loop4/loop/backing_file": "/dev/pmem987" }),
    ],
    [
      "pmem987p1 is exported as nqn.x (nvmet)",
      (sys) =>
        void sys.files({
          "/sys/class/block/pmem987/pmem987p1/dev": "259:1",
          "/sys/kernel/config/nvmet/subsystems/nqn.x/namespaces/1/device_path": "/dev/pmem987p1",
        }),
    ],
    [
      "process 78 (dd) has /dev/pmem987 open",
      (sys) =>
        void sys
          .files({ "/dev/pmem987": "", "/usr/bin/dd": "" })
          .link("/proc/78/fd/1", "/dev/pmem987")
          .link("/proc/78/exe", "/usr/bin/dd"),
    ],
  ])("changes nothing on a device that is in use, also with consent: %s", async (use, begin) => {
    const { sys, mounts, runner, scm } = setUp({ privileged: true });
    begin(sys);
    mounts.mounted(mount, "/dev/pmem987", "ext4", "rw,dax=always");
    await expect(scm.format(dcpm(), { reformat: true })).rejects.toMatchObject({
      code: FaultCode.scmDeviceInUse,
      description: expect.stringContaining(use),
    });
    expect(runner.ran).toEqual([]);
  });

  it("does not unmount a device that is mounted in a second place", async () => {
    const { mounts, runner, scm } = setUp({ privileged: true });
    mounts.mounted("/srv/a", "/dev/pmem987", "ext4", "rw,dax=always");
    mounts.mounted(mount, "/dev/pmem987", "ext4", "rw,dax=always");
    await expect(scm.format(dcpm(), { reformat: true })).rejects.toMatchObject({
      code: FaultCode.storageDeviceAlreadyMounted,
      description: expect.stringContaining("/srv/a"),
    });
    expect(runner.ran).toEqual([]);
  });

  it("erases nothing when the mount point cannot be used", async () => {
    const { mounts, runner, scm } = setUp({ privileged: true });
    mounts.mounted(mount, "/dev/pmem987", "ext4", "rw,dax=always");
    await writeFile(mount, "");
    await expect(scm.format(dcpm(), { reformat: true })).rejects.toMatchObject({
      code: FaultCode.scmFormatInvalidParameter,
    });
    expect(runner.ran).toEqual([`umount ${mount}`]);
  });

  it("checks the device before it changes it", async () => {
    const { mounts, runner, scm } = setUp({ privileged: true });
    await expect(scm.checkFormat(dcpm())).rejects.toMatchObject({ code: FaultCode.scmMissingDevice });
    await expect(scm.checkFormat(dcpm("/dev/null"))).rejects.toMatchObject({
      code: FaultCode.scmMissingDevice,
    });
    mounts.mounted("/mnt/else", "/dev/pmem987", "ext4");
    await expect(scm.format(dcpm(), { reformat: true })).rejects.toMatchObject({
      code: FaultCode.storageDeviceAlreadyMounted,
      description: expect.stringContaining("/mnt/else"),
    });
    expect(runner.ran).toEqual([]);
  });

  it("fails for a process that may not mount", async () => {
    const { scm } = setUp({ privileged: false });
    for (const attempt of [() => scm.format(dcpm(), { reformat: true }), () => scm.mount(dcpm())]) {
      await expect(attempt()).rejects.toMatchObject({ code: FaultCode.storageNotMounted });
    }
  });
});

describe("ScmProvider.checkFormat(), given a section that cannot be used,", () => {
  it.each<[string, ScmStorage]>([
    ["a relative path", { class: "ram", mount: "mnt/daos", sizeGiB: 1 }],
    ["a path with ..", { class: "ram", mount: "/mnt/../etc", sizeGiB: 1 }],
    ["a path with a blank", { class: "ram", mount: "/mnt/da os", sizeGiB: 1 }],
    ["the root", { class: "ram", mount: "/", sizeGiB: 1 }],
    ["a directory of the system", { class: "ram", mount: "/dev/shm", sizeGiB: 1 }],
    ["no size", { class: "ram", mount: "/mnt/daos", sizeGiB: 0 }],
    ["half a GiB", { class: "ram", mount: "/mnt/daos", sizeGiB: 0.5 }],
    ["no device", { class: "dcpm", mount: "/mnt/daos", device: "" }],
    ["a device with ..", { class: "dcpm", mount: "/mnt/daos", device: "/dev/../etc/passwd" }],
    ["half a uuid", { class: "dcpm", mount: "/mnt/daos", device: "uuid:55bedf6f" }],
    ["an option as device", { class: "dcpm", mount: "/mnt/daos", device: "--all" }],
  ])("refuses %s", async (_, storage) => {
    const { scm } = setUp({ privileged: true });
    for (const attempt of [
      () => scm.checkFormat(storage),
      () => scm.format(storage, { reformat: true }),
      () => scm.mount(storage),
      () => scm.unmount(storage),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: FaultCode.scmFormatInvalidParameter });
    }
  });
});

describe("ScmProvider.scan()", () => {
  it("returns empty lists and notes when no tool is installed", async () => {
    const { runner, scm } = setUp({ privileged: true });
    runner.missing("ipmctl", "ndctl");
    expect(await scm.scan()).toEqual({
      modules: [],
      namespaces: [],
      notes: [
        expect.stringContaining("ipmctl is not installed"),
        expect.stringContaining("ndctl is not installed"),
      ],
    });
  });

  it("returns empty lists without notes on a machine without modules", async () => {
    const { runner, scm } = setUp({ privileged: true });
    runner.on("ipmctl", { exitCode: 1, stdout: "Initialization failed. No PMem modules in the system.\n" });
    runner.on("ndctl", "");
    expect(await scm.scan()).toEqual({ modules: [], namespaces: [], notes: [] });
  });

  it("notes a tool that fails", async () => {
    const { runner, scm } = setUp({ privileged: true });
    runner.on("ipmctl", { exitCode: 1, stdout: "The current user has insufficient permissions.\n" });
    runner.on("ndctl", "not json");
    const { notes } = await scm.scan();
    expect(notes[0]).toContain("insufficient permissions");
    expect(notes[1]).toContain("not json");
  });

  it("names namespaces without a block device", async () => {
    const { runner, scm } = setUp({ privileged: true });
    const text = await readFile(
      new URL("../fixtures/ndctl-76.1-modes-list-Nv.json", import.meta.url),
      "utf8",
    );
    runner.on("ipmctl", { exitCode: 1, stdout: "No PMem modules in the system.\n" }).on("ndctl", text);
    const { namespaces, notes } = await scm.scan();
    expect(notes).toEqual(["namespace0.1 (devdax) has no block device, so no engine can use it"]);
    expect(namespaces.map(({ mode }) => mode)).toEqual(["raw", "fsdax", "fsdax", "fsdax", "fsdax", "sector"]);
  });

  it("ends when its signal aborts", async () => {
    const { scm } = setUp({ privileged: true });
    await expect(scm.scan({ signal: AbortSignal.abort("stop") })).rejects.toBe("stop");
  });
});

import { strict as assert } from "node:assert";
import { readFile, stat, writeFile } from "node:fs/promises";
import { FaultCode } from "@daos/fault";
import { ScmProvider, type ScmStorage } from "@daos/scm";
import { listMounts, mountAt } from "@daos/sys";
import { check, faultOf, log, runner, sh, without } from "./tools.ts";

const scm = new ScmProvider({ runner, log });
const owner = { uid: 1234, gid: 4321 };
const engine = (index: number): ScmStorage => ({
  class: "dcpm",
  mount: `/mnt/daos${index}`,
  device: `/dev/pmem${index}`,
});

for (const round of ["first", "second"]) {
  check(`scm, ${round} time: prepare, format, mount, reset`, async () => {
    assert.deepEqual(await scm.scan(), { modules: [], namespaces: [], notes: [] });
    await faultOf(scm.checkFormat(engine(0)), FaultCode.scmMissingDevice);

    const prepared = await scm.prepare();
    assert.ok(prepared.kind === "done");
    assert.deepEqual(
      prepared.namespaces.map(({ blockdev }) => blockdev),
      ["pmem0", "pmem1"],
    );
    assert.deepEqual(prepared.namespaces.map(({ numaNode }) => numaNode).sort(), [0, 1]);
    assert.deepEqual(await scm.prepare(), prepared);

    for (const index of [0, 1]) {
      assert.deepEqual(await scm.checkFormat(engine(index)), { kind: "unformatted" });
      await scm.format(engine(index), { reformat: false, owner });
      assert.deepEqual(await scm.checkFormat(engine(index)), { kind: "mounted" });
    }
    const entry = mountAt(await listMounts(), "/mnt/daos0");
    assert.ok(entry?.fsType === "ext4" && entry.options.includes("dax"), JSON.stringify(entry));
    const { uid, gid, mode } = await stat("/mnt/daos0");
    assert.deepEqual([uid, gid, mode & 0o777], [1234, 4321, 0o700]);

    await writeFile("/mnt/daos0/superblock", "kept");
    await scm.unmount(engine(0));
    assert.deepEqual(await scm.checkFormat(engine(0)), { kind: "mountable" });
    await scm.mount(engine(0));
    assert.equal(await readFile("/mnt/daos0/superblock", "utf8"), "kept");
    await faultOf(scm.format(engine(0), { reformat: false, owner }), FaultCode.storageAlreadyFormatted);
    await scm.format(engine(0), { reformat: true, owner });
    await assert.rejects(stat("/mnt/daos0/superblock"));

    const reset = await scm.reset();
    assert.ok(reset.kind === "done");
    assert.deepEqual(reset.namespaces, []);
    // It names the missing device.
    for (const { uuid } of prepared.namespaces)
      assert.ok(
        reset.notes?.some((note) => note.includes(uuid)),
        JSON.stringify(reset),
      );
    assert.equal(mountAt(await listMounts(), "/mnt/daos0"), undefined);
  });
}

check("scm: foreign data is kept", async () => {
  await scm.prepare();
  await sh("mkfs.vfat", "/dev/pmem0");
  assert.deepEqual(await scm.checkFormat(engine(0)), { kind: "foreign", fsType: "vfat" });
  await faultOf(scm.format(engine(0), { reformat: false }), FaultCode.storageAlreadyFormatted);
  await sh("mkdir", "-p", "/mnt/else");
  await sh("mount", "/dev/pmem0", "/mnt/else");
  const fault = await faultOf(
    scm.format(engine(0), { reformat: true }),
    FaultCode.storageDeviceAlreadyMounted,
  );
  assert.match(fault.description, /mounted at \/mnt\/else/);
  await faultOf(
    scm.format({ class: "ram", mount: "/mnt/else", sizeGiB: 1 }, { reformat: true }),
    FaultCode.storageFilesystemAlreadyMounted,
  );
  await sh("umount", "/mnt/else");
  await scm.format(engine(0), { reformat: true });
  const open = await import("node:fs/promises").then(({ open }) => open("/mnt/daos0/busy", "w"));
  await faultOf(scm.unmount(engine(0)), FaultCode.scmMountFailed);
  await faultOf(scm.reset(), FaultCode.scmMountFailed);
  await open.close();
  await scm.reset();
});

check("scm: namespaces in sector and devdax mode", async () => {
  await sh("modprobe", "-a", "nd_btt", "device_dax");
  await sh("ndctl", "create-namespace", "-m", "sector", "-r", "region0");
  await sh("ndctl", "create-namespace", "-m", "devdax", "-r", "region1");
  const { namespaces, notes } = await scm.scan();
  assert.deepEqual(
    namespaces.map(({ mode, blockdev }) => [mode, blockdev]),
    [["sector", "pmem0s"]],
  );
  assert.match(notes.join("\n"), /namespace1\.0 \(devdax\) has no block device/);
  const prepared = await scm.prepare();
  assert.ok(prepared.kind === "done");
  for (const name of ["namespace0.0", "namespace1.0"])
    assert.match(prepared.notes?.join("\n") ?? "", new RegExp(`ndctl create-namespace [^"]*${name}`));
  const storage = (device: string): ScmStorage => ({ class: "dcpm", mount: "/mnt/other", device });
  await faultOf(scm.format(storage("/dev/pmem0s"), { reformat: true }), FaultCode.scmWithoutDax);
  await faultOf(scm.format(storage("/dev/dax1.0"), { reformat: true }), FaultCode.scmMissingDevice);
  assert.ok((await scm.reset()).kind === "done");
  assert.deepEqual(await scm.scan(), { modules: [], namespaces: [], notes: [] });
});

check("scm: without tools", async () => {
  const bare = new ScmProvider({ runner: without("ndctl", "ipmctl"), log });
  assert.equal((await bare.scan()).notes.length, 2);
  await faultOf(bare.prepare(), FaultCode.missingSoftwareDependency);
});

check("scm: class ram is a real tmpfs", async () => {
  const storage: ScmStorage = { class: "ram", mount: "/mnt/ram", sizeGiB: 1 };
  await scm.format(storage, { reformat: false, owner });
  const entry = mountAt(await listMounts(), "/mnt/ram");
  assert.ok(entry?.fsType === "tmpfs" && entry.options.includes("size=1048576k"), JSON.stringify(entry));
  assert.equal((await stat("/mnt/ram")).uid, 1234);
  await writeFile("/mnt/ram/x", "");
  await scm.format(storage, { reformat: true, owner });
  await assert.rejects(stat("/mnt/ram/x"));
  await scm.unmount(storage);
  assert.deepEqual(await scm.checkFormat(storage), { kind: "unformatted" });
});

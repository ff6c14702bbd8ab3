import { strict as assert } from "node:assert";
import { open, readdir, readFile, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { before } from "node:test";
import { BdevProvider, type BdevStorage, fileCache } from "@daos/bdev";
import { FaultCode } from "@daos/fault";
import {
  addressesOf,
  addressOf,
  check,
  deviceOf,
  faultOf,
  log,
  runner,
  sh,
  until,
  without,
  write,
} from "./tools.ts";

const cache = fileCache("/run/daos/controllers.json");
const bdev = new BdevProvider({ runner, log, cache });
const nvme = (...list: string[]): BdevStorage => ({ class: "nvme", list, number: 0, sizeGB: 0 });
const owner = { uid: 1234, gid: 4321 };
let fast: readonly [string, string] = ["", ""];

before(async () => {
  fast = [await addressOf("FAST0"), await addressOf("FAST1")];
  // The other controllers are back for the benchmark.
  for (const address of await addressesOf()) if (!fast.includes(address)) await remove(address);
});

/**
 * Removes a controller. With virtual functions its port is removed too, because otherwise there is no space for their memory
 * when it returns.
 */
async function remove(address: string): Promise<void> {
  const path = await realpath(`/sys/bus/pci/devices/${address}`);
  const functions = await readFile(`${path}/sriov_totalvfs`, "utf8").catch(() => "0");
  await write(`${Number(functions) === 0 ? path : dirname(path)}/remove`, "1");
}

/** Rescans the place of a removed controller only. */
async function findAgain(address: string): Promise<void> {
  await write(`/sys/class/pci_bus/${address.replace(/:[^:]*$/, "")}/rescan`, "1");
}

const driverOf = async (address: string) =>
  (await bdev.scan()).find(({ pciAddress }) => pciAddress === address)?.driver;

async function dirty(address: string): Promise<void> {
  const device = await deviceOf(address);
  await sh("mkfs.ext4", "-q", "-F", device);
  await sh("dd", "if=/dev/urandom", `of=${device}`, "bs=1M", "seek=250", "count=6", "status=none");
}

async function isBlank(address: string): Promise<boolean> {
  const device = await deviceOf(address);
  await sh("blockdev", "--flushbufs", device);
  const { exitCode } = await runner.run(["cmp", "-n", `${256 * 1024 * 1024}`, device, "/dev/zero"]);
  return exitCode === 0;
}

/** Two partitions of 64 MiB. The table is written by hand, because fdisk is not installed everywhere. */
async function partition(device: string): Promise<void> {
  const table = Buffer.alloc(512);
  for (const index of [0, 1]) {
    const at = 446 + 16 * index;
    table.writeUInt8(0x83, at + 4);
    table.writeUInt32LE(2048 + index * 131_072, at + 8);
    table.writeUInt32LE(131_072, at + 12);
  }
  table.writeUInt16LE(0xaa55, 510);
  const file = await open(device, "r+");
  await file.write(table, 0, table.length, 0);
  await file.sync();
  await file.close();
  await sh("blockdev", "--rereadpt", device);
}

check("bdev: scan by the kernel", async () => {
  const controllers = await bdev.scan();
  assert.equal(controllers.length, 2);
  for (const [index, address] of fast.entries()) {
    const controller = controllers.find(({ pciAddress }) => pciAddress === address);
    assert.ok(controller?.health !== undefined);
    assert.deepEqual(
      { ...controller, health: undefined },
      {
        pciAddress: address,
        pciId: "1b36:0010",
        model: "QEMU NVMe Ctrl",
        serial: `FAST${index}`,
        firmware: controller.firmware,
        numaNode: index,
        driver: "nvme",
        namespaces: [{ id: 1, size: 268435456n }],
        health: undefined,
        source: "kernel",
      },
    );
    assert.equal(controller.health.temperature, 323);
  }
  await bdev.check(nvme(...fast));
  const fault = await faultOf(bdev.check(nvme("0000:ff:00.0")), FaultCode.bdevMissingDevice);
  assert.match(fault.description, new RegExp(fast[0]));
});

check("bdev: a critical warning shows", async () => {
  const [controller] = await readdir(`/sys/bus/pci/devices/${fast[0]}/nvme`);
  await sh("nvme", "set-feature", `/dev/${controller}`, "-f", "4", "-v", "300");
  const warned = (await bdev.scan()).find(({ pciAddress }) => pciAddress === fast[0]);
  assert.equal(warned?.health?.temperatureWarning, true);
  await sh("nvme", "set-feature", `/dev/${controller}`, "-f", "4", "-v", "343");
});

check("bdev: without nvme-cli there is no health, and no format", async () => {
  const bare = new BdevProvider({ runner: without("nvme"), log });
  assert.equal((await bare.scan())[0]?.health, undefined);
  const [result] = await bare.format(nvme(fast[0]));
  assert.equal(result?.fault?.code, FaultCode.missingSoftwareDependency);
});

for (const round of ["first", "second"]) {
  check(`bdev, ${round} time: prepare, scan, format, reset`, async () => {
    await dirty(fast[0]);
    await dirty(fast[1]);
    const prepared = await bdev.prepare({ hugepages: 65, owner });
    assert.deepEqual(
      prepared.controllers.map((outcome) => (outcome.kind === "bound" ? outcome.driver : outcome)),
      ["vfio-pci", "vfio-pci"],
    );
    assert.deepEqual(prepared.hugepages, [
      { node: "node0", pages: 33 },
      { node: "node1", pages: 32 },
    ]);
    const groups = (await readdir("/dev/vfio")).filter((name) => /^\d+$/.test(name));
    assert.equal(groups.length, 2);
    for (const group of groups) assert.equal((await stat(`/dev/vfio/${group}`)).uid, 1234);
    assert.equal((await stat("/dev/hugepages")).uid, 1234);

    // Another process, such as the server, finds the state that prepare recorded.
    const later = await new BdevProvider({ runner, log, cache }).scan();
    assert.deepEqual(
      later.map(({ serial, source, driver }) => ({ serial, source, driver })),
      ["FAST0", "FAST1"].map((serial) => ({ serial, source: "last-known", driver: "vfio-pci" })),
    );

    for (const { fault } of await bdev.format(nvme(...fast))) {
      assert.equal(fault?.code, FaultCode.bdevHoldsData);
      assert.match(fault.description, /nvme\d+n\d+ holds ext4/);
    }
    assert.deepEqual(await bdev.format(nvme(...fast), { reformat: true }), [
      { device: fast[0] },
      { device: fast[1] },
    ]);
    assert.equal(await driverOf(fast[0]), "vfio-pci");
    for (const group of groups) assert.equal((await stat(`/dev/vfio/${group}`)).uid, 1234);

    const reset = await bdev.reset();
    assert.ok(reset.controllers.every((outcome) => outcome.kind === "bound" && outcome.driver === "nvme"));
    assert.match(await readFile("/proc/meminfo", "utf8"), /HugePages_Total:\s+0\n/);
    for (const address of fast) assert.ok(await isBlank(address), `${address} is not blank`);
  });
}

check("bdev: a controller in use stays with the kernel, and is not formatted", async () => {
  const device = await deviceOf(fast[0]);
  await partition(device);
  await until("the partition", async () =>
    stat(`${device}p2`).then(
      () => true,
      () => false,
    ),
  );
  await sh("mkdir", "-p", "/mnt/part");
  const uses: readonly (readonly [RegExp, string, string])[] = [
    [
      /is mounted at \/mnt\/part/,
      `mkfs.ext4 -q -F ${device}p1 && mount ${device}p1 /mnt/part`,
      "umount /mnt/part",
    ],
    [/is swap/, `mkswap -q ${device}p2 && swapon ${device}p2`, `swapoff ${device}p2`],
    [
      /in use by the kernel/,
      // Mounted in another mount namespace only, so this process's mountinfo does not show it.
      `mkfifo /run/go; unshare -m sh -c 'mount ${device}p1 /mnt/part; echo >/run/ready; read x </run/go' >/dev/null 2>&1 & until [ -e /run/ready ]; do sleep 0.1; done`,
      "echo go >/run/go",
    ],
  ];
  for (const [reason, begin, end] of uses) {
    await sh("sh", "-c", begin);
    const [result] = await bdev.format(nvme(fast[0]));
    assert.equal(result?.fault?.code, FaultCode.bdevInUse);
    assert.match(result.fault.description, reason);
    const { controllers } = await bdev.prepare({ hugepages: 2 });
    const outcome = controllers.find(({ pciAddress }) => pciAddress === fast[0]);
    assert.ok(outcome?.kind === "skipped" && reason.test(outcome.reason), JSON.stringify(outcome));
    assert.equal(await driverOf(fast[1]), "vfio-pci");
    await sh("sh", "-c", end);
    await bdev.reset();
  }
  const [kept] = await bdev.format(nvme(fast[1]));
  assert.equal(kept?.fault, undefined, "a blank controller needs no reformat");
  await until("the end of the other mount", async () => {
    const [result] = await bdev.format(nvme(fast[0]), { reformat: true });
    return result?.fault === undefined;
  });
});

check("bdev: LUKS and md, closed and open", async () => {
  const device = await deviceOf(fast[0]);
  await sh("modprobe", "-a", "dm-crypt", "xts", "raid1");
  // There is no udev that devices could wait for.
  const tool = (text: string) =>
    sh("sh", "-ec", `export DM_DISABLE_UDEV=1 MDADM_NO_UDEV=1; echo secret >/run/key; ${text}`);
  const format = async (reformat: boolean) => (await bdev.format(nvme(fast[0]), { reformat }))[0]?.fault;
  const kinds: readonly (readonly [string, string, string, string])[] = [
    [
      "crypto_LUKS",
      `cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 ${device} /run/key`,
      `cryptsetup open --key-file /run/key ${device} secret`,
      "cryptsetup close secret",
    ],
    [
      "linux_raid_member",
      `mdadm --create /dev/md9 --run --force --level=1 --raid-devices=1 ${device} && mdadm --stop /dev/md9`,
      `mdadm --assemble /dev/md9 ${device}`,
      "mdadm --stop /dev/md9",
    ],
  ];
  for (const [kind, make, open, close] of kinds) {
    await tool(make);
    const held = await format(false);
    assert.equal(held?.code, FaultCode.bdevHoldsData);
    assert.match(held.description, new RegExp(kind));
    await tool(open);
    for (const reformat of [false, true])
      assert.equal((await format(reformat))?.code, FaultCode.bdevInUse, kind);
    await tool(close);
    assert.equal(await format(true), undefined);
    assert.ok(await isBlank(fast[0]), kind);
  }
});

check("bdev: whitelist, hugepages, a process with a controller", async () => {
  const bad = await bdev.prepare({ hugepages: 2, whitelist: "0000:zz:00.0" });
  assert.ok(bad.controllers.every(({ kind }) => kind === "skipped"));
  const one = await bdev.prepare({ hugepages: 2, whitelist: `0000:zz:00.0 ${fast[1]}` });
  assert.deepEqual(
    one.controllers.filter(({ kind }) => kind === "bound").map(({ pciAddress }) => pciAddress),
    [fast[1]],
  );
  const group = (await readdir("/dev/vfio")).find((name) => /^\d+$/.test(name));
  const held = await open(`/dev/vfio/${group}`, "r+");
  const busy = (await bdev.reset()).controllers.find(({ pciAddress }) => pciAddress === fast[1]);
  assert.ok(
    busy?.kind === "skipped" && busy.reason.includes(`process ${process.pid} `),
    JSON.stringify(busy),
  );
  const [refused] = await bdev.format(nvme(fast[1]));
  assert.equal(refused?.fault?.code, FaultCode.bdevInUse);
  await held.close();
  const fault = await faultOf(bdev.prepare({ hugepages: 100_000 }), FaultCode.bdevHugepagesShort);
  assert.match(fault.description, /node0: \d+, node1: \d+/);
  // It keeps the driver that it had before.
  assert.equal(await driverOf(fast[1]), "vfio-pci");
  await bdev.reset();
});

check("bdev: a controller that vanishes", async () => {
  await write(`/sys/bus/pci/devices/${fast[0]}/remove`, "1");
  const results = await bdev.format(nvme(...fast));
  assert.deepEqual(
    results.map(({ fault }) => fault?.code),
    [FaultCode.bdevMissingDevice, undefined],
  );
  await findAgain(fast[0]);
  await until("the controller", async () =>
    addressOf("FAST0").then(
      (address) => address === fast[0],
      () => false,
    ),
  );
  // During the format.
  let removed: Promise<void> | undefined;
  const [result] = await bdev.format(nvme(fast[0]), {
    onProgress: ({ step }) => {
      if (step === "format") removed ??= write(`/sys/bus/pci/devices/${fast[0]}/remove`, "1");
    },
  });
  await removed;
  assert.ok(
    result?.fault?.code === FaultCode.bdevVanished || result?.fault?.code === FaultCode.bdevMissingDevice,
    String(result?.fault),
  );
  await findAgain(fast[0]);
});

check("bdev: burn-in of an empty controller, with an abort", async () => {
  await until("the controller", async () =>
    addressOf("FAST0").then(
      (address) => address === fast[0],
      () => false,
    ),
  );
  await dirty(fast[0]);
  const [refused] = await bdev.burnIn([fast[0]], { durationMs: 1 });
  assert.ok(refused !== undefined && "fault" in refused);
  assert.equal(refused.fault.code, FaultCode.bdevBurnInFailed);
  await bdev.format(nvme(...fast), { reformat: true });
  const stop = new AbortController();
  const results = await bdev.burnIn(fast, {
    durationMs: 2_000,
    signal: stop.signal,
    onProgress: ({ device, fraction }) => {
      if (device === fast[1] && fraction > 0) stop.abort();
    },
  });
  for (const result of results) {
    assert.ok("verdict" in result, "fault" in result ? String(result.fault) : "");
    assert.ok(["passed", "aborted"].includes(result.verdict.kind), String(result.verdict.errors[0]?.message));
  }
  // The controller that reported progress has read its first window back. The other may have been stopped before.
  const verified = results.map((result) => ("verdict" in result ? result.verdict.bytesVerified : 0n));
  assert.ok(verified[1] !== undefined && verified[1] >= 64n * 1024n * 1024n, String(verified));
  for (const address of fast) {
    const device = await deviceOf(address);
    assert.equal((await runner.run(["blkid", "--probe", device])).exitCode, 2);
  }
});

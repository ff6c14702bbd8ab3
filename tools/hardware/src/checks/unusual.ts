import { strict as assert } from "node:assert";
import { type FileHandle, mkdir, open, readdir, readFile, realpath, writeFile } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { BdevProvider, type BdevStorage } from "@daos/bdev";
import { checkAgainstMachine, checkServerConfig, generateConfig } from "@daos/config";
import { FaultCode } from "@daos/fault";
import { collectMachineFacts } from "@daos/machine";
import { NetworkProvider } from "@daos/network";
import { ScmProvider, type ScmStorage } from "@daos/scm";
import { listMounts, mountAt } from "@daos/sys";
import {
  addressesOf,
  blankLabels,
  check,
  deviceOf,
  faultOf,
  log,
  runner,
  sh,
  until,
  write,
} from "./tools.ts";

const MiB = 1024n * 1024n;
const PCI = "/sys/bus/pci/devices";
const bdev = new BdevProvider({ runner, log });
const network = new NetworkProvider({ runner, log });
const scm = new ScmProvider({ runner, log });

/** The expected behaviour of each command for a controller. */
interface Expected {
  /** The ids and sizes (MiB) of its namespaces. */
  readonly namespaces: Readonly<Record<number, bigint>>;
  /** The reason why generate omits it. */
  readonly notOffered?: RegExp;
  /** The message of config check. */
  readonly problem?: "error" | "warning";
  /** The reason why prepare leaves it with the kernel. */
  readonly skipped?: RegExp;
  /** The code of the fault of a format. */
  readonly fault?: number;
}

const good = (namespaces: Expected["namespaces"]): Expected => ({ namespaces });
const unusable = (namespaces: Expected["namespaces"], reason: RegExp): Expected => ({
  namespaces,
  notOffered: reason,
  problem: "error",
  skipped: reason,
  fault: FaultCode.bdevFormatFailed,
});
const used = (reason: RegExp): Expected => ({
  namespaces: { 1: 96n },
  notOffered: reason,
  problem: "error",
  skipped: reason,
  fault: FaultCode.bdevInUse,
});
const holding = (what: RegExp): Expected => ({
  namespaces: { 1: 96n },
  notOffered: what,
  problem: "warning",
  fault: FaultCode.bdevHoldsData,
});
const otherPath = /it is another path to the device of/;

/** The cases by serial number. The slow controllers are set up as used devices. FUNCTION is a virtual function of FUNCTIONS. */
const EXPECTED: Readonly<Record<string, Expected>> = {
  GAP: good({ 2: 32n, 7: 32n }),
  LARGE: good({ 1: 32n }),
  // Its metadata is kept beside the blocks.
  PROTECTED: good({ 1: 31n }),
  PATHS: good({ 1: 32n }),
  PATHS2: {
    namespaces: { 1: 32n },
    notOffered: otherPath,
    problem: "error",
    skipped: otherPath,
    fault: FaultCode.bdevInUse,
  },
  NONE: unusable({}, /it has no namespaces/),
  EXTENDED: unusable({ 1: 0n }, /has no size: its blocks are extended by metadata/),
  ZONED: unusable({ 1: 32n }, /is zoned \(host-managed\)/),
  FUNCTIONS: unusable({ 1: 32n }, /1 virtual functions of it are enabled/),
  FUNCTION: {
    namespaces: {},
    notOffered: /it is a virtual function of/,
    skipped: /neither the whitelist nor bdev_include names it/,
    fault: FaultCode.bdevBindFailed,
  },
  SLOW0: holding(/holds gpt partition table/),
  SLOW1: holding(/holds LVM2_member/),
  SLOW2: used(/is a part of dm-0/),
  SLOW3: used(/is the backing of loop0/),
  SLOW4: used(/is exported as nqn\.test \(nvmet\)/),
  SLOW5: used(/process \d+ \(\S+\) has \/dev\/nvme\d+n1 open/),
};
const NAMES = Object.keys(EXPECTED);
const MISSING = "0000:00:00.0";

const addresses = new Map<string, string>();
const addressIn = (name: string): string => addresses.get(name) ?? MISSING;
const nameAt = (address: string): string | undefined => NAMES.find((name) => addressIn(name) === address);
const nvme = (names: readonly string[]): BdevStorage => ({
  class: "nvme",
  list: names.map(addressIn),
  number: 0,
  sizeGB: 0,
});
let raw: FileHandle | undefined;

const PROBE_AGAIN_MS = 15_000;
const NVME_CLASS = "0x010802";

/** Removes the controllers that have no driver, and looks for them again. The kernel's messages say why they have none. */
async function probeAgain(): Promise<void> {
  process.stderr.write(await script("dmesg | grep nvme | tail -40"));
  for (const address of await readdir(PCI)) {
    const files = await readdir(`${PCI}/${address}`).catch(() => ["driver"]);
    if (files.includes("driver")) continue;
    const kind = (await readFile(`${PCI}/${address}/class`, "utf8")).trim();
    if (kind === NVME_CLASS) await write(`${PCI}/${address}/remove`, "1");
  }
  await write("/sys/bus/pci/rescan", "1");
}

async function findControllers(): Promise<void> {
  await write("/sys/bus/pci/rescan", "1");
  for (const serial of NAMES.filter((name) => !/^(?:PATHS2?|FUNCTION)$/.test(name))) {
    let probed = performance.now();
    await until(serial, async () => {
      const [address] = await addressesOf(serial);
      if (address !== undefined) return addresses.set(serial, address).size > 0;
      // Under emulation the kernel gives up a controller now and then.
      if (performance.now() - probed > PROBE_AGAIN_MS) {
        await probeAgain();
        probed = performance.now();
      }
      return false;
    });
  }
  await until("both paths", async () => {
    const [first, second] = (await addressesOf("PATHS")).toSorted();
    if (first === undefined || second === undefined) return false;
    addresses.set("PATHS", first).set("PATHS2", second);
    return true;
  });
  for (const address of await addressesOf())
    if (nameAt(address) === undefined) await write(`${PCI}/${address}/remove`, "1");
  for (const address of addresses.values()) {
    const [name] = await readdir(`${PCI}/${address}/nvme`);
    await until(`nvme ${address}`, async () =>
      (await readFile(`/sys/class/nvme/${name}/state`, "utf8")).startsWith("live"),
    );
  }
}

/** An empty GUID partition table with its two copies. @see UEFI Specification, GUID Partition Table */
async function writeGpt(device: string): Promise<void> {
  const sectors = Number(await readFile(`/sys/class/block/${device.slice("/dev/".length)}/size`, "utf8"));
  const entries = Buffer.alloc(128 * 128);
  const header = (own: number, other: number, table: number) => {
    const block = Buffer.alloc(512);
    block.write("EFI PART", "latin1");
    block.writeUInt32LE(0x1_0000, 8);
    block.writeUInt32LE(92, 12);
    for (const [at, sector] of [
      [24, own],
      [32, other],
      [40, 34],
      [48, sectors - 34],
      [72, table],
    ] as const)
      block.writeBigUInt64LE(BigInt(sector), at);
    block.fill(7, 56, 72);
    block.writeUInt32LE(128, 80);
    block.writeUInt32LE(128, 84);
    block.writeUInt32LE(crc32(entries), 88);
    block.writeUInt32LE(crc32(block.subarray(0, 92)), 16);
    return block;
  };
  const protective = Buffer.alloc(512);
  protective.writeUInt8(0xee, 450);
  protective.writeUInt32LE(1, 454);
  protective.writeUInt32LE(sectors - 1, 458);
  protective.writeUInt16LE(0xaa55, 510);
  const file = await open(device, "r+");
  await file.writev([protective, header(1, sectors - 1, 2), entries], 0);
  await file.writev([entries, header(sectors - 1, 1, sectors - 33)], (sectors - 33) * 512);
  await file.sync();
  await file.close();
}

/** Sets up the slow controllers as used devices. */
async function useControllers(): Promise<void> {
  const device = (name: string) => deviceOf(addressIn(name));
  await sh("modprobe", "-a", "loop", "nvmet", "dm_mod");
  await writeGpt(await device("SLOW0"));
  const lvm = (...args: string[]) =>
    sh("lvm", ...args, "-q", "--config", "activation { udev_sync=0 udev_rules=0 }");
  await lvm("pvcreate", await device("SLOW1"));
  await lvm("vgcreate", "used", await device("SLOW2"));
  await lvm("lvcreate", "-y", "-Zn", "-Wn", "-l1", "-n", "volume", "used");
  await mkdir("/mnt/loop", { recursive: true });
  await sh("losetup", "/dev/loop0", await device("SLOW3"));
  await sh("mkfs.ext4", "-q", "-F", "/dev/loop0");
  await sh("mount", "/dev/loop0", "/mnt/loop");
  await writeFile("/mnt/loop/precious", "kept");
  if ((await readdir("/sys/kernel/config")).length === 0)
    await sh("mount", "-t", "configfs", "configfs", "/sys/kernel/config");
  const exported = "/sys/kernel/config/nvmet/subsystems/nqn.test/namespaces/1";
  await mkdir(exported, { recursive: true });
  await write(`${exported}/device_path`, await device("SLOW4"));
  await write(`${exported}/enable`, "1");
  raw = await open(await device("SLOW5"), "r+");
  await write(`${PCI}/${addressIn("FUNCTIONS")}/sriov_numvfs`, "1");
  const path = await realpath(`${PCI}/${addressIn("FUNCTIONS")}/virtfn0`);
  addresses.set("FUNCTION", path.split("/").at(-1) ?? MISSING);
}

/** Data that is not zero, and unknown to blkid. */
async function scribble(device: string): Promise<void> {
  const file = await open(device, "r+");
  await file.write(Buffer.alloc(1024 * 1024, 0xa5), 0, undefined, 0);
  await file.sync();
  await file.close();
}

/** Runs a script with busybox's tools. They need fewer processes, which are slow under emulation. */
const script = (text: string) => sh("/run/busybox", "sh", "-euc", text);

const bond = async () => (await network.interfaces()).find(({ device }) => device === "bond0");

// What checks need. Each makes it when it is not there, so that a failed check can be repeated alone.
const hasBond = once(async () => {
  await script(`
    modprobe bonding
    cd /sys/class/net
    [ -e bond0 ] || echo +bond0 >bonding_masters
    for slave in eth0 eth1; do
      ip link set $slave down
      echo +$slave >bond0/bonding/slaves
    done
    ip address add 10.11.9.1/24 dev bond0
    ip link set bond0 up`);
  await until("the carrier of the bond", async () => (await bond())?.problem === undefined);
});
const hasControllers = once(async () => {
  await findControllers();
  await useControllers();
});
const hasRawNamespace = once(() => blankLabels("nmem1"));

function once(make: () => Promise<void>): () => Promise<void> {
  let made: Promise<void> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

check("unusual network: VLAN, alias, link-local address, bond over both nodes", async () => {
  await script(`
    modprobe -a 8021q dummy
    ip link add link eth1 name eth1.5 type vlan id 5
    ip address add 10.11.5.1/24 dev eth1.5
    ip address flush dev eth0
    ip address add 10.11.6.1/24 dev eth0 label eth0:0
    ip link add dummy9 type dummy
    ip link set eth1.5 up
    ip link set dummy9 up`);
  const found = (await network.scan("ofi+sockets")).map(({ device, numaNode }) => `${device} ${numaNode}`);
  for (const entry of ["eth0 0", "eth1 1", "eth1.5 1"]) assert.ok(found.includes(entry), String(found));
  await network.checkNumaNode("eth1.5", 1);
  await faultOf(network.checkNumaNode("eth1.5", 0), FaultCode.networkOtherNumaNode);
  const fault = await faultOf(network.check("dummy9", "ofi+sockets"), FaultCode.networkInterfaceUnusable);
  assert.match(fault.description, /link-local/);
  await script(`
    ip link del eth1.5
    ip link del dummy9`);
  await hasBond();
  assert.deepEqual((await bond())?.numaNodes, [0, 1]);
});

check("unusual controllers: scan, config generate, config check", async (context) => {
  const begin = performance.now();
  const step = (name: string) =>
    context.diagnostic(`${name} ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  await hasBond();
  await hasControllers();
  step("in use after");
  const controllers = await bdev.scan();
  assert.deepEqual(controllers.map(({ pciAddress }) => nameAt(pciAddress)).toSorted(), NAMES.toSorted());
  for (const { pciAddress, namespaces } of controllers) {
    const name = nameAt(pciAddress) ?? "";
    const seen = Object.fromEntries(namespaces.map(({ id, size }) => [id, size / MiB]));
    assert.deepEqual(seen, EXPECTED[name]?.namespaces, name);
  }
  step("scanned after");

  await hasRawNamespace();
  const { facts, notes } = await collectMachineFacts({ log });
  assert.deepEqual(notes, []);
  step("facts after");
  const options = { allowInsecure: true };
  const read = (text: string) => {
    const { config } = checkServerConfig(text, { path: "daos_server.yml", cwd: "/" });
    assert.ok(config !== undefined, text);
    return { config, problems: checkAgainstMachine(config, facts) };
  };
  const errors = read(generateConfig(facts, options).text).problems.filter(
    ({ severity, key }) => severity === "error" && key !== "socket_dir",
  );
  assert.deepEqual(errors, []);
  // The memory of this machine is enough for one tmpfs, and so for one engine.
  const memory = { totalBytes: 2 ** 33, availableBytes: 2 ** 33 };
  const generated = generateConfig({ ...facts, memory }, options);
  const { config } = read(generated.text);
  // Both engines are on the bond, each with the devices of its node.
  assert.deepEqual(
    config.engines.map(({ fabricIface, pinnedNumaNode }) => [fabricIface, pinnedNumaNode]),
    [
      ["bond0", 0],
      ["bond0", 1],
    ],
  );
  const offered = config.engines.flatMap(({ bdev: { list } }) => list.map(nameAt));
  assert.deepEqual(
    offered.toSorted(),
    NAMES.filter((name) => EXPECTED[name]?.notOffered === undefined).sort(),
  );
  for (const [name, { notOffered }] of Object.entries(EXPECTED)) {
    const about = generated.notes.find((note) => note.startsWith(`NVMe controller ${addressIn(name)}: `));
    assert.equal(notOffered?.test(about ?? ""), notOffered && true, `${name}: ${about}`);
  }
  assert.match(generated.notes.join("\n"), /\/dev\/pmem\d+: it is in raw mode/);

  const lists = [`bdev_list: [${NAMES.map((name) => `"${addressIn(name)}"`).join(", ")}]`];
  const all = read(generated.text.replaceAll(/bdev_list: .*/g, () => lists.shift() ?? "bdev_list: []"));
  for (const [name, { problem }] of Object.entries(EXPECTED)) {
    const about = all.problems.filter(({ message }) => message.startsWith(addressIn(name)));
    assert.deepEqual(
      about.map(({ severity }) => severity),
      problem === undefined ? [] : [problem],
      `${name}: ${JSON.stringify(about)}`,
    );
  }
  step("checked after");
});

check("unusual controllers: prepare, format, reset", async (context) => {
  const begin = performance.now();
  const step = (name: string) =>
    context.diagnostic(`${name} ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  const namespaces = async (name: string) =>
    (await bdev.scan()).find(({ pciAddress }) => pciAddress === addressIn(name))?.namespaces;
  await hasControllers();
  const before = await namespaces("GAP");
  const [gap = ""] = await readdir(`${PCI}/${addressIn("GAP")}/nvme`);
  for (const id of [1, 2]) await scribble(`/dev/${gap}n${id}`);
  const prepared = await bdev.prepare({ hugepages: 2 });
  for (const [name, { skipped }] of Object.entries(EXPECTED)) {
    const outcome = prepared.controllers.find(({ pciAddress }) => pciAddress === addressIn(name));
    const reason = outcome?.kind === "skipped" ? outcome.reason : undefined;
    assert.equal(
      outcome?.kind,
      skipped === undefined ? "bound" : "skipped",
      `${name}: ${JSON.stringify(outcome)}`,
    );
    assert.ok(skipped === undefined || skipped.test(reason ?? ""), `${name}: ${reason}`);
  }
  step("prepared after");
  for (const [index, { fault }] of (await bdev.format(nvme(NAMES))).entries()) {
    const name = NAMES[index] ?? "";
    assert.equal(fault?.code, EXPECTED[name]?.fault, `${name}: ${String(fault)}`);
  }
  step("formatted after");
  const reset = await bdev.reset();
  for (const outcome of reset.controllers) {
    const { skipped } = EXPECTED[nameAt(outcome.pciAddress) ?? ""] ?? {};
    assert.equal(outcome.kind, skipped === undefined ? "bound" : "skipped", JSON.stringify(outcome));
  }
  step("reset after");
  assert.deepEqual(await namespaces("GAP"), before);
  const [again = ""] = await readdir(`${PCI}/${addressIn("GAP")}/nvme`);
  for (const id of [1, 2]) await sh("cmp", "-n", "1048576", `/dev/${again}n${id}`, "/dev/zero");
  const settings = async (name: string) => {
    const { flbas, dps } = JSON.parse(
      await sh("nvme", "id-ns", "-o", "json", await deviceOf(addressIn(name))),
    );
    return { flbas, dps };
  };
  assert.deepEqual(await settings("LARGE"), { flbas: 4, dps: 0 });
  assert.deepEqual(await settings("PROTECTED"), { flbas: 1, dps: 1 });
  assert.equal(await readFile("/mnt/loop/precious", "utf8"), "kept");
  assert.equal(
    await sh("blkid", "-p", "-s", "PTTYPE", "-o", "value", await deviceOf(addressIn("SLOW0"))),
    "gpt\n",
  );
  await raw?.close();
  await write(`${PCI}/${addressIn("FUNCTIONS")}/sriov_numvfs`, "0");
});

/** For failure messages: sizes are bigints, which JSON does not have. */
const show = (value: unknown) =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? `${part}` : part));

check("unusual namespace: without a label", async () => {
  await hasRawNamespace();
  const raw = (await scm.scan()).namespaces.find(({ mode }) => mode === "raw");
  assert.ok(raw?.uuid === "");
  const storage: ScmStorage = { class: "dcpm", mount: "/mnt/unusual", device: `/dev/${raw.blockdev}` };
  await faultOf(scm.checkFormat(storage), FaultCode.scmWithoutDax);
  const prepared = await scm.prepare();
  assert.ok(prepared.kind === "done");
  const hint = prepared.notes
    ?.map((note) => /"(ndctl create-namespace [^"]+)"/.exec(note)?.[1])
    .find(Boolean);
  assert.ok(hint?.includes(raw.dev), show(prepared));
  // Follows the advice, which makes it usable.
  await sh("sh", "-c", hint ?? "");
  const [fsdax] = (await scm.scan()).namespaces.filter(({ dev }) => dev === raw.dev);
  assert.equal(fsdax?.mode, "fsdax");
  await scm.format({ ...storage, device: `/dev/${fsdax.blockdev}` }, { reformat: false });
  assert.match(mountAt(await listMounts(), "/mnt/unusual")?.options ?? "", /dax=always|dax/);
  assert.ok((await scm.reset()).kind === "done");
  // Its module has labels now.
  const again = await scm.prepare();
  assert.ok(again.kind === "done");
  assert.deepEqual(
    again.namespaces.map(({ mode }) => mode),
    ["fsdax", "fsdax"],
  );
  await scm.reset();
});

import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { BdevProvider, DeviceUses } from "@daos/bdev";
import { checkAgainstMachine, checkServerConfig, generateConfig, pathsOf } from "@daos/config";
import { silentLogger } from "@daos/log";
import { NetworkProvider } from "@daos/network";
import type { SysTree } from "@daos/sys";
import { FakeCommandRunner, FakeMountTable, FakeSysTree } from "@daos/sys/testing";
import { describe, expect, it } from "vitest";
import {
  collectMachineFacts,
  readControllers,
  readInterfaces,
  readMemory,
  readNumaNodes,
  resolveHosts,
  scanFabric,
  useOfBlockDevice,
} from "./collect-machine-facts.ts";

/** A tree of the kernel's files, given by path. */
function fakeTree(files: Readonly<Record<string, string>>): SysTree {
  const below = (path: string) =>
    Object.keys(files)
      .filter((file) => file.startsWith(`${path}/`))
      .map((file) => file.slice(path.length + 1).split("/", 1)[0] ?? "");
  return {
    read: async (path) => files[path],
    list: async (path) => [...new Set(below(path))].sort(),
    resolve: async () => undefined,
    write: () => Promise.reject(new Error("read only")),
  };
}

// cat /proc/meminfo on Debian 12, shortened
const MEMINFO = `MemTotal:        8130472 kB
MemFree:         4210000 kB
MemAvailable:    6002112 kB
HugePages_Total:       0
Hugepagesize:       2048 kB`;

describe("readMemory()", () => {
  it("counts hugepages of 2 MiB, which SPDK uses, where the kernel's default is 1 GiB", async () => {
    const text = MEMINFO.replace("2048 kB", "1048576 kB");
    expect(await readMemory(fakeTree({ "/proc/meminfo": text }))).toMatchObject({
      hugepages: { pageBytes: 2 * 1024 * 1024 },
    });
  });

  it("reads /proc/meminfo", async () => {
    expect(await readMemory(fakeTree({ "/proc/meminfo": MEMINFO }))).toEqual({
      memory: { totalBytes: 8130472 * 1024, availableBytes: 6002112 * 1024 },
      hugepages: { pageBytes: 2048 * 1024 },
    });
  });

  it("returns nothing without /proc/meminfo", async () => {
    expect(await readMemory(fakeTree({}))).toEqual({ memory: undefined, hugepages: undefined });
  });
});

describe("resolveHosts()", () => {
  it("finds the addresses of each host, and leaves out one that has none", async () => {
    const hosts = ["127.0.0.1", "::1", "127.0.0.1", "no-such-host.invalid"];
    expect(await resolveHosts(hosts, undefined)).toEqual({ "127.0.0.1": ["127.0.0.1"], "::1": ["::1"] });
  });
});

describe("useOfBlockDevice()", () => {
  it("names the mount of a device, and says when the kernel has it", async () => {
    const mounts = new FakeMountTable({ privileged: true }).mounted("/home", "/dev/null", "ext4");
    const free = () => Promise.resolve("free" as const);
    expect(await useOfBlockDevice("/dev/null", { mounts, claim: free })).toBe("it is mounted at /home");
    expect(await useOfBlockDevice("/dev/zero", { mounts, claim: free })).toBeUndefined();
    expect(await useOfBlockDevice("/dev/zero", { mounts, claim: () => Promise.resolve("claimed") })).toBe(
      "the kernel has it (a volume, RAID, swap)",
    );
    const sys = new FakeSysTree().files({ "/sys/class/block/loop0/loop/backing_file": "/dev/zero" });
    expect(await useOfBlockDevice("/dev/zero", { mounts, claim: free, sys })).toBe(
      "zero is the backing of loop0",
    );
  });
});

describe("readInterfaces()", () => {
  it("finds the interfaces that can be used", async () => {
    const net = "/sys/class/net";
    const tree = fakeTree({
      [`${net}/bonding_masters`]: "",
      [`${net}/eth0/type`]: "1",
      [`${net}/eth0/operstate`]: "up",
      [`${net}/eth1/type`]: "1",
      [`${net}/eth1/operstate`]: "up",
      [`${net}/eth2/type`]: "1",
      [`${net}/eth2/operstate`]: "down",
      [`${net}/ib0/type`]: "32",
      [`${net}/ib0/operstate`]: "up",
      [`${net}/lo/type`]: "772",
      [`${net}/lo/operstate`]: "unknown",
    });
    const network = new NetworkProvider({
      sys: tree,
      addresses: () => ({
        eth0: [{ address: "10.0.0.1" }],
        "eth0:0": [{ address: "10.0.1.1" }],
        eth1: [{ address: "fe80::1" }],
        lo: [{ address: "127.0.0.1" }],
      }),
      runner: new FakeCommandRunner(),
      log: silentLogger,
    });
    expect(await readInterfaces(network)).toEqual([
      { device: "eth0", usable: true },
      { device: "eth1", usable: false, problem: "it has no address but a link-local one" },
      { device: "eth2", usable: false, problem: "it is down" },
      { device: "ib0", usable: true },
      { device: "lo", usable: true },
    ]);
  });
});

describe("scanFabric()", () => {
  it("gives a bond the nodes below it, and marks RDMA in software", async () => {
    const sys = new FakeSysTree().files({
      "/sys/class/net/bond0/type": "1",
      "/sys/class/net/br0/type": "1",
      "/sys/class/infiniband/rxe0/ports/1/gid_attrs/ndevs/0": "eth0",
    });
    sys.files({ "/sys/devices/virtual/infiniband/rxe1/ports/1/gid_attrs/ndevs/0": "br0" });
    sys.link("/sys/class/infiniband/rxe1", "/sys/devices/virtual/infiniband/rxe1");
    for (const node of [0, 1]) {
      sys.files({
        [`/sys/devices/card${node}/numa_node`]: `${node}`,
        [`/sys/class/net/eth${node}/type`]: "1",
      });
      sys.link(`/sys/class/net/eth${node}/device`, `/sys/devices/card${node}`);
      sys.link(`/sys/class/net/bond0/lower_eth${node}`, `/sys/class/net/eth${node}`);
    }
    const answer = ["bond0", "br0", "eth1"]
      .map((name) => `provider: sockets\n    domain: ${name}\n`)
      .join("");
    const runner = new FakeCommandRunner().on("fi_info", answer);
    const provider = "ofi+sockets";
    expect(await scanFabric(new NetworkProvider({ sys, runner, log: silentLogger }), undefined)).toEqual([
      { device: "bond0", provider, numaNodes: [0, 1] },
      { device: "br0", provider, softwareRdma: true },
      { device: "eth1", provider, numaNode: 1 },
    ]);
  });
});

describe("readNumaNodes()", () => {
  const node = "/sys/devices/system/node";
  it("counts cores rather than threads", async () => {
    const tree = fakeTree({
      [`${node}/node0/meminfo`]: "Node 0 MemTotal:       4000 kB",
      [`${node}/node0/cpu0/topology/thread_siblings_list`]: "0,2",
      [`${node}/node0/cpu2/topology/thread_siblings_list`]: "0,2",
      [`${node}/node0/cpulist`]: "0,2",
      [`${node}/node1/meminfo`]: "Node 1 MemTotal:       5000 kB",
      [`${node}/node1/cpu1/topology/thread_siblings_list`]: "1",
      [`${node}/node1/cpu3/topology/thread_siblings_list`]: "3",
      [`${node}/online`]: "0-1",
    });
    expect(await readNumaNodes(tree)).toEqual([
      { id: 0, cores: 1, memoryBytes: 4000 * 1024 },
      { id: 1, cores: 2, memoryBytes: 5000 * 1024 },
    ]);
  });

  it("readNumaNodes() agrees with hwloc 2.9.0 about a node that has a processor and no memory", async () => {
    const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8");
    const files: Record<string, string> = {};
    // node0 cpus=0 distance=10 21 31
    for (const [, text = ""] of fixture("linux-6.1-numa-memoryless.txt").matchAll(
      /^(node\d+ cpus=[\s\S]*?)(?=^node\d+ cpus=|$(?![\s\S]))/gm,
    )) {
      const [, name = "", cpu = ""] = /^(node\d+) cpus=(\d+)/.exec(text) ?? [];
      files[`${node}/${name}/meminfo`] = text;
      files[`${node}/${name}/cpulist`] = cpu;
      files[`${node}/${name}/cpu${cpu}/topology/thread_siblings_list`] = cpu;
    }
    const found = await readNumaNodes(fakeTree(files));
    const xml = fixture("lstopo-2.9.0-memoryless.xml");
    const theirs = [...xml.matchAll(/type="NUMANode" os_index="(\d+)".*? local_memory="(\d+)"/g)];
    expect(found.filter(({ memoryBytes }) => memoryBytes > 0)).toEqual(
      theirs.map(([, id, bytes]) => ({ id: Number(id), cores: 1, memoryBytes: Number(bytes) })),
    );
    expect(found.reduce((sum, { cores }) => sum + cores, 0)).toBe([...xml.matchAll(/type="Core"/g)].length);
    expect(found.filter(({ memoryBytes }) => memoryBytes === 0)).toEqual([
      { id: 2, cores: 1, memoryBytes: 0 },
    ]);
  });

  it("treats a machine without nodes as one node", async () => {
    const tree = fakeTree({
      "/proc/meminfo": MEMINFO,
      "/sys/devices/system/cpu/cpu0/topology/core_id": "0",
      "/sys/devices/system/cpu/cpu1/topology/core_id": "1",
      "/sys/devices/system/cpu/cpufreq/boost": "1",
    });
    expect(await readNumaNodes(tree)).toEqual([{ id: 0, cores: 2, memoryBytes: 8130472 * 1024 }]);
  });
});

describe("readControllers()", () => {
  /** Number of the controller, and the name of its namespace as block device and in its own directory. */
  const machine = [
    ["0000:01:00.0", "nvme0", "nvme0n1", "nvme0n1"],
    ["0000:02:00.0", "nvme1", "nvme1n1", "nvme1n1"],
    // With multipath, numbers of controller and namespace differ.
    ["0000:03:00.0", "nvme2", "nvme3n1", "nvme3c2n1"],
    ["0000:04:00.0", "nvme4", "nvme4n1", "nvme4n1"],
  ] as const;

  it("readControllers() finds uses and contents, so that generate takes only blank controllers and check refuses those in use", async () => {
    const sys = new FakeSysTree();
    const mounts = new FakeMountTable({ privileged: true });
    const runner = new FakeCommandRunner()
      .on("nvme", { exitCode: 1 })
      .on("blkid --probe --output export", { exitCode: 2 })
      .on("wipefs --no-act", "")
      .on("blkid --probe --output export /dev/nvme4n1", "TYPE=LVM2_member");
    for (const [address, controller, block, path] of machine) {
      const device = `/sys/bus/pci/devices/${address}`;
      sys.files({
        [`${device}/class`]: "0x010802",
        [`${device}/numa_node`]: "0",
        [`${device}/nvme/${controller}/model`]: "SAMSUNG MZQL21T9HCJR-00A07",
        [`${device}/nvme/${controller}/${path}/nsid`]: "1",
        [`${device}/nvme/${controller}/${path}/size`]: "3750748848",
        [`/sys/class/block/${block}/size`]: "3750748848",
        [`/sys/class/block/${block}/dev`]: `259:${controller.slice(4)}`,
      });
    }
    sys.files({
      "/sys/class/block/nvme0n1/nvme0n1p1/dev": "259:11",
      "/sys/class/block/nvme0n1p1/dev": "259:11",
      "/sys/class/block/nvme0n1p1/holders/dm-0/dev": "253:0",
    });
    mounts.mounted("/srv", "/dev/nvme3n1", "xfs");
    const uses = new DeviceUses({ sys, mounts, runner, claim: () => Promise.resolve("free") });
    const bdev = new BdevProvider({ sys, mounts, runner, log: silentLogger });
    const notes: string[] = [];
    const nvmeControllers = await readControllers(bdev, uses, { note: (text) => void notes.push(text) });
    expect(nvmeControllers.map(({ use, contents }) => use ?? contents)).toEqual([
      "nvme0n1p1 is a part of dm-0",
      undefined,
      "nvme3n1 is mounted at /srv",
      "nvme4n1 holds LVM2_member",
    ]);
    const generated = generateConfig({
      nvmeControllers,
      networkInterfaces: [{ device: "eth0", usable: true }],
    });
    expect(generated.text).toContain('bdev_list: ["0000:02:00.0"]');
    expect(generated.notes).toEqual(
      expect.arrayContaining([
        "NVMe controller 0000:01:00.0: nvme0n1p1 is a part of dm-0",
        "NVMe controller 0000:03:00.0: nvme3n1 is mounted at /srv",
        "NVMe controller 0000:04:00.0: nvme4n1 holds LVM2_member",
      ]),
    );
    const all = generated.text.replace(
      '"0000:02:00.0"',
      machine.map(([address]) => `"${address}"`).join(", "),
    );
    const { config } = checkServerConfig(all, { path: "g.yml", cwd: "/" });
    if (config === undefined) throw new Error("the configuration is not valid");
    const problems = checkAgainstMachine(config, { nvmeControllers });
    expect(problems.map(({ severity, key }) => [severity, key])).toEqual([
      ["error", "servers[0].bdev_list[0]"],
      ["error", "servers[0].bdev_list[2]"],
      ["warning", "servers[0].bdev_list[3]"],
    ]);
    // Without privileges nothing is known about contents.
    expect(notes).toEqual([]);
    runner.on("blkid --probe --output export", { exitCode: 2, stderr: "Permission denied" });
    await readControllers(bdev, uses, { note: (text) => void notes.push(text) });
    expect(notes).toEqual([
      expect.stringMatching(/^the contents of NVMe controller 0000:02:00.0 are unknown/),
    ]);
  });
});

describe("collectMachineFacts() of this machine", () => {
  it("collectMachineFacts() names the hosts that have no address", async () => {
    const hosts = ["localhost", "no-host.invalid"];
    const { facts } = await collectMachineFacts({ log: silentLogger, hosts, quick: true });
    expect(facts.unresolvedHosts).toEqual(["no-host.invalid"]);
  });

  it("allow a configuration that passes the check against them", async () => {
    const { facts } = await collectMachineFacts({ log: silentLogger });
    const { config } = checkServerConfig(generateConfig(facts, { socketDir: tmpdir() }).text, {
      path: "g.yml",
      cwd: "/",
    });
    if (config === undefined) throw new Error("the generated configuration is not valid");
    const again = await collectMachineFacts({ log: silentLogger, paths: pathsOf(config) });
    const problems = checkAgainstMachine(config, again.facts);
    expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  });

  it("include each requested path", async () => {
    const paths = ["/", "/proc/self/status", "/no/such/file", "/dev/null"];
    const { facts } = await collectMachineFacts({ log: silentLogger, paths });
    expect(paths.map((path) => facts.paths?.[path]?.kind)).toEqual(["directory", "file", "missing", "other"]);
    expect(facts.paths?.["/no/such/file"]?.freeBytes).toBeGreaterThan(0);
  });
});

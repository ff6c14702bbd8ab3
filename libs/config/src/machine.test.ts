import { describe, expect, it } from "vitest";
import { checkAgainstMachine, hostsOf, pathsOf } from "./check-against-machine.ts";
import { checkServerConfig } from "./check-server.ts";
import { type GenerateOptions, generateConfig } from "./generate.ts";
import type { MachineFacts } from "./machine-facts.ts";
import { formatProblem } from "./problem.ts";
import type { ServerConfig } from "./types.ts";

const GIB = 2 ** 30;

/** Two sockets with Omni-Path, persistent memory and NVMe on each. */
const large: MachineFacts = {
  memory: { totalBytes: 256 * GIB, availableBytes: 240 * GIB },
  numaNodes: [
    { id: 0, cores: 24, memoryBytes: 128 * GIB },
    { id: 1, cores: 24, memoryBytes: 128 * GIB },
  ],
  networkInterfaces: [
    { device: "lo", usable: true },
    { device: "eth0", numaNode: 0, usable: true },
    { device: "ib0", numaNode: 0, usable: true },
    { device: "ib1", numaNode: 1, usable: true },
    { device: "ib2", numaNode: 1, usable: false },
  ],
  fabricInterfaces: [
    { device: "eth0", provider: "ofi+sockets", numaNode: 0 },
    { device: "ib0", provider: "ofi+psm2", numaNode: 0 },
    { device: "ib1", provider: "ofi+psm2", numaNode: 1 },
    { device: "ib2", provider: "ofi+psm2", numaNode: 1 },
  ],
  pmemNamespaces: [
    { device: "/dev/pmem0", numaNode: 0, sizeBytes: 500 * GIB },
    { device: "/dev/pmem1", numaNode: 1, sizeBytes: 500 * GIB },
  ],
  nvmeControllers: [
    { address: "0000:81:00.0", model: "a", numaNode: 0, sizeBytes: 1e12 },
    { address: "0000:82:00.0", model: "a", numaNode: 1, sizeBytes: 1e12 },
    {
      address: "0000:83:00.0",
      model: "boot",
      numaNode: 1,
      sizeBytes: 1e11,
      use: "nvme2n1p1 is mounted at /",
    },
  ],
  hugepages: { pageBytes: 2 * 2 ** 20 },
  paths: { "/var/run/daos_server": { kind: "directory" }, "/dev/pmem0": { kind: "block" } },
};

const UUIDS = ["a4353a8a-64a5-46d6-904b-1be941b568f9", "450b4876-ec7d-48d6-976c-646c74fa032b"] as const;

/** Namespaces of one region, as ndctl names them. */
const modes: MachineFacts["pmemNamespaces"] = [
  { device: "/dev/pmem0.2", mode: "raw", uuid: "52a1a67d-7c85-48c7-939f-68b1918d5c9f", sizeBytes: 2 * GIB },
  { device: "/dev/pmem0.3", mode: "fsdax", uuid: UUIDS[0], sizeBytes: 4 * GIB },
];

/** The last two are paths to one device. */
const dual: MachineFacts["nvmeControllers"] = [
  {
    address: "0000:01:00.0",
    model: "a",
    numaNode: 0,
    sizeBytes: 1e12,
    contents: "nvme0n1 holds ext4",
    namespaceIds: ["eui.1"],
  },
  {
    address: "0000:02:00.0",
    model: "a",
    numaNode: 0,
    sizeBytes: 1e12,
    use: "process 7 (daos_io_server) has /dev/vfio/2 open",
    userDriven: true,
  },
  { address: "0000:03:00.0", model: "a", numaNode: 0, sizeBytes: 1e12, namespaceIds: ["eui.3"] },
  { address: "0000:04:00.0", model: "a", numaNode: 1, sizeBytes: 1e12, namespaceIds: ["eui.3"] },
];

/** A small virtual machine. */
const small: MachineFacts = {
  memory: { totalBytes: 8 * GIB, availableBytes: 5 * GIB },
  numaNodes: [{ id: 0, cores: 2, memoryBytes: 8 * GIB }],
  networkInterfaces: [
    { device: "lo", usable: true },
    { device: "eth0", usable: true },
  ],
};

function load(text: string): {
  config: ServerConfig;
  positionOf: (key: string) => { line: number; column: number } | undefined;
} {
  const { config, problems, positionOf } = checkServerConfig(text, { path: "s.yml", cwd: "/" });
  if (config === undefined) throw new Error(problems.map(formatProblem).join("\n"));
  return { config, positionOf };
}

function findings(text: string, facts: MachineFacts): readonly string[] {
  const { config, positionOf } = load(text);
  return checkAgainstMachine(config, facts, { positionOf }).map(formatProblem);
}

const RAM = "  scm_mount: /mnt/daos\n  scm_class: ram\n  scm_size: 1\n";

describe("checkAgainstMachine()", () => {
  it.each<[string, string, MachineFacts, readonly string[]]>([
    [
      "nothing",
      `provider: ofi+psm2\nservers:\n- fabric_iface: ib0\n  pinned_numa_node: 0\n${RAM}`,
      large,
      [],
    ],
    ["nothing about a machine without facts", `provider: x\nservers:\n- fabric_iface: y\n${RAM}`, {}, []],
    [
      "an interface that does not exist",
      `provider: ofi+psm2\nservers:\n- fabric_iface: ib9\n${RAM}`,
      large,
      [
        "s.yml:3:17: error: servers[0].fabric_iface: this machine has no interface ib9; expected one of lo, eth0, ib0, ib1, ib2",
      ],
    ],
    [
      "a provider that the interface lacks, where the provider stands",
      `provider: ofi+verbs\nservers:\n- fabric_iface: ib0\n${RAM}`,
      large,
      ["s.yml:1:11: error: servers[0].provider: ib0 does not support ofi+verbs; expected one of ofi+psm2"],
    ],
    [
      "the wrong NUMA node",
      `provider: ofi+psm2\nservers:\n- fabric_iface: ib0\n  pinned_numa_node: 1\n${RAM}`,
      large,
      [
        "s.yml:4:21: error: servers[0].pinned_numa_node: ib0 is on NUMA node 0, not on 1; expected 0, or an interface of NUMA node 1",
      ],
    ],
    [
      "a NUMA node that does not exist",
      `provider: ofi+psm2\nservers:\n- fabric_iface: ib0\n  pinned_numa_node: 7\n${RAM}`,
      large,
      [
        "s.yml:4:21: error: servers[0].pinned_numa_node: ib0 is on NUMA node 0, not on 7; expected 0, or an interface of NUMA node 7",
        "s.yml:4:21: error: servers[0].pinned_numa_node: this machine has no NUMA node 7; expected one of 0, 1",
      ],
    ],
    [
      "an interface that is down, also where libfabric would take it",
      `provider: ofi+psm2\nservers:\n- fabric_iface: ib2\n${RAM}`,
      large,
      [
        "s.yml:3:17: error: servers[0].fabric_iface: ib2 cannot be used: it is down or has no address; expected one of lo, eth0, ib0, ib1",
      ],
    ],
    [
      "an interface with a link-local address only",
      `provider: ofi+sockets\nservers:\n- fabric_iface: eth0\n${RAM}`,
      {
        networkInterfaces: [
          { device: "eth0", usable: false, problem: "it has no address but a link-local one" },
        ],
      },
      [
        "s.yml:3:17: error: servers[0].fabric_iface: eth0 cannot be used: it has no address but a link-local one; expected an interface that is up and has an address",
      ],
    ],
    [
      "a NUMA node on which no part of a bond is",
      `provider: ofi+sockets\nservers:\n- fabric_iface: bond0\n  pinned_numa_node: 2\n${RAM}`,
      { fabricInterfaces: [{ device: "bond0", provider: "ofi+sockets", numaNodes: [0, 1] }] },
      [
        "s.yml:4:21: error: servers[0].pinned_numa_node: bond0 is on NUMA node 0, not on 2; expected 0, or an interface of NUMA node 2",
      ],
    ],
    [
      "cores beyond the machine",
      `provider: ofi+sockets\nservers:\n- fabric_iface: eth0\n  first_core: 2\n${RAM}`,
      small,
      [
        "s.yml:4:15: error: servers[0].first_core: this machine has 2 cores, 2 is beyond the last; expected 0 to 1",
      ],
    ],
    [
      "more targets than cores",
      `provider: ofi+sockets\nservers:\n- fabric_iface: eth0\n  targets: 8\n${RAM}`,
      small,
      [
        "s.yml:4:12: warning: servers[0].targets: targets on cores 0 to 7: this machine has 2 cores; expected at most 2; the engine takes fewer than configured",
      ],
    ],
    [
      "devices that are not there",
      `provider: ofi+psm2
servers:
- fabric_iface: ib0
  scm_mount: /mnt/daos
  scm_class: dcpm
  scm_list: [/dev/pmem7]
  bdev_list: ["0000:81:00.0", "0000:99:00.0", "0000:83:00.0"]
`,
      large,
      [
        "s.yml:6:14: warning: servers[0].scm_list[0]: /dev/pmem7 is not a namespace of persistent memory; expected one of /dev/pmem0, /dev/pmem1",
        "s.yml:7:31: error: servers[0].bdev_list[1]: this machine has no NVMe controller 0000:99:00.0; expected one of 0000:81:00.0, 0000:82:00.0, 0000:83:00.0",
        "s.yml:7:47: error: servers[0].bdev_list[2]: 0000:83:00.0 is in use: nvme2n1p1 is mounted at /; expected a controller that nothing else uses",
      ],
    ],
    [
      "controllers that hold data, are used through a user-space driver, or are one device",
      `provider: ofi+psm2
servers:
- {fabric_iface: ib0, scm_mount: /m, scm_class: ram, scm_size: 1, bdev_list: ["0000:01:00.0", "0000:02:00.0", "0000:03:00.0"]}
- {fabric_iface: ib0, fabric_iface_port: 32416, scm_mount: /n, scm_class: ram, scm_size: 1, bdev_list: ["0000:04:00.0"]}
`,
      { nvmeControllers: dual },
      [
        "s.yml:3:79: warning: servers[0].bdev_list[0]: 0000:01:00.0 holds data: nvme0n1 holds ext4; expected a blank controller; only dmg storage format --reformat erases this one",
        "s.yml:3:95: warning: servers[0].bdev_list[1]: 0000:02:00.0 is in use: process 7 (daos_io_server) has /dev/vfio/2 open; expected a controller that nothing else uses",
        "s.yml:4:105: error: servers[1].bdev_list[0]: 0000:04:00.0 and 0000:03:00.0 are two paths to one device; expected one of them",
      ],
    ],
    [
      "a block device of the kernel that is in use",
      "provider: ofi+psm2\nservers:\n- {fabric_iface: ib0, scm_mount: /m, scm_class: ram, scm_size: 1, bdev_class: kdev, bdev_list: [/dev/sdb1, /dev/sdc]}\n",
      {
        paths: {
          "/dev/sdb1": { kind: "block", use: "it is mounted at /home" },
          "/dev/sdc": { kind: "block" },
        },
      },
      [
        "s.yml:3:97: error: servers[0].bdev_list[0]: /dev/sdb1 is in use: it is mounted at /home; expected a block device that nothing else uses",
      ],
    ],
    [
      "one host, one namespace and one controller under two names",
      `provider: ofi+psm2
access_points: [node1, node2, "10.0.0.1", node3, node3, "node1:5"]
servers:
- {fabric_iface: ib0, scm_mount: /m, scm_class: dcpm, scm_list: [/dev/pmem0.3], bdev_list: ["0000:8A:00.0"]}
- {fabric_iface: ib0, fabric_iface_port: 32416, scm_mount: /n, scm_class: dcpm, scm_list: ["uuid:${UUIDS[0]}"]}
`,
      {
        pmemNamespaces: modes,
        nvmeControllers: [{ address: "0000:8a:00.0", model: "a", sizeBytes: 1 }],
        hostAddresses: { node1: ["10.0.0.1"], node2: ["10.0.0.2"], "10.0.0.1": ["10.0.0.1"] },
      },
      [
        `s.yml:5:92: error: servers[1].scm_list[0]: uuid:${UUIDS[0]} and /dev/pmem0.3 of servers[0] are one namespace; expected a namespace for each engine`,
        "s.yml:2:31: error: access_points[2]: 10.0.0.1:10001 and node1:10001 are one host (10.0.0.1); expected each host once",
        "s.yml:2:50: error: access_points[4]: node3:10001 and node3:10001 are one host; expected each host once",
      ],
    ],
    [
      "a pmem device that is missing",
      "provider: ofi+psm2\nservers:\n- {fabric_iface: ib0, scm_mount: /m, scm_class: dcpm, scm_list: [/dev/pmem7]}\n",
      { paths: { "/dev/pmem7": { kind: "missing" } } },
      [
        "s.yml:3:66: error: servers[0].scm_list[0]: there is no /dev/pmem7; expected a namespace of persistent memory; make one with: daos-server storage prepare --scm-only",
      ],
    ],
    [
      "namespaces that cannot be mounted with dax, and a uuid that no namespace has",
      `provider: ofi+psm2
servers:
- {fabric_iface: ib0, scm_mount: /m, scm_class: dcpm, scm_list: ["/dev/pmem0.2"]}
- {fabric_iface: ib0, fabric_iface_port: 32416, scm_mount: /n, scm_class: dcpm, scm_list: ["uuid:${UUIDS[1]}"]}
- {fabric_iface: ib0, fabric_iface_port: 33416, scm_mount: /o, scm_class: dcpm, scm_list: ["uuid:${UUIDS[0].toUpperCase()}"]}
`,
      { pmemNamespaces: modes },
      [
        "s.yml:3:66: error: servers[0].scm_list[0]: /dev/pmem0.2 is in raw mode and cannot be mounted with dax; expected one of /dev/pmem0.3",
        `s.yml:4:92: error: servers[1].scm_list[0]: uuid:${UUIDS[1]} is not a namespace of persistent memory; expected one of /dev/pmem0.3`,
      ],
    ],
    [
      "more memory than the machine has",
      `provider: ofi+sockets\nservers:\n- fabric_iface: eth0\n${RAM.replace("1", "9")}`,
      small,
      [
        "s.yml:6:13: error: servers[0].scm_size: engines and hugepages need 9.0 GiB of memory, this machine has 8.0 GiB; expected smaller sizes",
      ],
    ],
    [
      "more memory than is free",
      `provider: ofi+sockets\nservers:\n- fabric_iface: eth0\n${RAM.replace("1", "6")}`,
      small,
      [
        "s.yml:6:13: warning: servers[0].scm_size: engines and hugepages need 6.0 GiB of memory, 5.0 GiB are free now; expected smaller sizes",
      ],
    ],
    [
      "files larger than their disk, or than what is free of it",
      `provider: ofi+sockets\nservers:\n- fabric_iface: eth0\n${RAM}  bdev_class: file\n  bdev_size: 20\n  bdev_list: [/a, /b, /c, /d]\n`,
      {
        paths: {
          "/a": { kind: "missing", fileSystemBytes: 10e9, freeBytes: 5e9 },
          "/b": { kind: "missing", fileSystemBytes: 50e9, freeBytes: 5e9 },
          "/c": { kind: "file", sizeBytes: 20e9, fileSystemBytes: 50e9, freeBytes: 0 },
          "/d": { kind: "directory" },
        },
      },
      [
        "s.yml:9:27: error: servers[0].bdev_list[3]: /d is not a regular file; expected a file, or a path where one can be made",
        "s.yml:8:14: error: servers[0].bdev_size: /a needs 20.0 GB, its file system has 10.0 GB in all; expected a smaller size, or a path on a larger file system",
        "s.yml:8:14: warning: servers[0].bdev_size: /b needs 20.0 GB, its file system has 5.0 GB free; expected a smaller size, or free space",
      ],
    ],
    [
      "a socket directory that is missing",
      `socket_dir: /run/x\nprovider: p\nservers:\n- fabric_iface: eth0\n${RAM}`,
      { paths: { "/run/x": { kind: "missing" } } },
      [
        "s.yml:1:13: error: socket_dir: /run/x does not exist; expected a directory; make it with: mkdir -p /run/x",
      ],
    ],
    [
      "a mount point below a file",
      `provider: p\nservers:\n- fabric_iface: eth0\n  scm_mount: /a/b/c\n  scm_class: ram\n  scm_size: 1\n`,
      { paths: { "/a/b/c": { kind: "missing" }, "/a/b": { kind: "file" }, "/a": { kind: "directory" } } },
      [
        "s.yml:4:14: error: servers[0].scm_mount: /a/b is not a directory; expected a directory, or a path where one can be made",
      ],
    ],
    [
      "names without an address",
      `access_points: [node1, node2, node3]\nsystem_db: {backend: etcd, endpoints: ["https://etcd1:2379", "https://[::1]:2379"]}\nprovider: p\nservers:\n- fabric_iface: eth0\n${RAM}`,
      { unresolvedHosts: ["node2", "etcd1"] },
      [
        "s.yml:1:24: error: access_points[1]: node2 has no address here; expected a name that is in DNS or /etc/hosts",
        "s.yml:2:40: error: system_db.endpoints[0]: etcd1 has no address here; expected a name that is in DNS or /etc/hosts",
      ],
    ],
  ])("finds %s", (_, text, facts, expected) => {
    expect(findings(text, facts)).toEqual(expected);
  });

  it("pathsOf() lists the paths that the check needs", () => {
    const { config } = load(`provider: p
servers:
- {fabric_iface: a, scm_mount: /m0, scm_class: dcpm, scm_list: [/dev/pmem0], bdev_class: file, bdev_list: [/f], bdev_size: 1}
- {fabric_iface: b, scm_mount: /m1, scm_class: ram, scm_size: 1, bdev_list: ["0000:81:00.0"]}
`);
    expect(pathsOf(config)).toEqual(["/var/run/daos_server", "/m0", "/f", "/dev/pmem0", "/m1"]);
  });

  it("hostsOf() lists the names that the check needs", () => {
    const { config } = load(`access_points: [a, b, c]
system_db: {backend: etcd, endpoints: ["https://a:2379", "https://[fd00::1]:2379", "https://e:2379"]}
`);
    expect(hostsOf(config)).toEqual(["a", "b", "c", "fd00::1", "e"]);
  });
});

describe("generateConfig()", () => {
  function generate(facts: MachineFacts, options?: GenerateOptions) {
    const { text, notes } = generateConfig(facts, options);
    const { config, problems } = checkServerConfig(text, { path: "g.yml", cwd: "/" });
    const expected = /no section of an engine|listen_address: without it|without etcd only the first/;
    expect(problems.map(formatProblem).filter((line) => !expected.test(line))).toEqual([]);
    if (config === undefined) throw new Error("unreachable");
    expect(checkAgainstMachine(config, facts).map(formatProblem)).toEqual([]);
    for (const note of notes) expect(text).toContain(`# - ${note}\n`);
    return { config, notes, text };
  }

  it("takes one engine for each NUMA node, with its own devices", () => {
    const { config, notes } = generate(large);
    expect(config).toMatchObject({
      engines: [
        {
          provider: "ofi+psm2",
          pinnedNumaNode: 0,
          targets: 16,
          fabricIface: "ib0",
          fabricIfacePort: 31416,
          scm: { class: "dcpm", mount: "/mnt/daos/0", device: "/dev/pmem0" },
          bdev: { class: "nvme", list: ["0000:81:00.0"] },
        },
        {
          pinnedNumaNode: 1,
          fabricIface: "ib1",
          fabricIfacePort: 32416,
          scm: { mount: "/mnt/daos/1", device: "/dev/pmem1" },
          bdev: { list: ["0000:82:00.0"] },
        },
      ],
    });
    expect(notes).toEqual([
      "interface ib2: it is down or has no address",
      "NVMe controller 0000:83:00.0: nvme2n1p1 is mounted at /",
    ]);
  });

  it("generateConfig() leaves out controllers that hold data or are in use, and gives a device to one engine", () => {
    const { config, notes } = generate({ ...large, nvmeControllers: dual });
    expect(config).toMatchObject({
      engines: [{ bdev: { list: ["0000:03:00.0"] } }, { bdev: { list: [] } }],
    });
    expect(notes).toEqual(
      expect.arrayContaining([
        "NVMe controller 0000:01:00.0: nvme0n1 holds ext4",
        "NVMe controller 0000:02:00.0: process 7 (daos_io_server) has /dev/vfio/2 open",
        "NVMe controller 0000:04:00.0: it is another path to the device of 0000:03:00.0",
      ]),
    );
  });

  it("generateConfig() takes the largest namespace that can be mounted with dax", () => {
    const small = { device: "/dev/pmem0.1", mode: "fsdax", numaNode: 0, sizeBytes: GIB };
    const { config, notes } = generate({ ...large, pmemNamespaces: [small, ...modes] });
    expect(config.engines).toMatchObject([
      { scm: { class: "dcpm", device: "uuid:a4353a8a-64a5-46d6-904b-1be941b568f9" } },
      { scm: { class: "ram" } },
    ]);
    expect(notes).toEqual(
      expect.arrayContaining([
        "/dev/pmem0.2: it is in raw mode, which cannot be mounted with dax",
        "/dev/pmem0.1: an engine takes one namespace, and engine 0 has /dev/pmem0.3",
      ]),
    );
  });

  it("generateConfig() names a namespace by its uuid, which stays at a reboot, and shows its device", () => {
    const uuid = "55bedf6f-a14a-429c-b65a-b764e01892cf";
    const labelled = { device: "/dev/pmem0.8", uuid, mode: "fsdax", numaNode: 0, sizeBytes: GIB };
    const without = { device: "/dev/pmem1", uuid: "", mode: "fsdax", numaNode: 1, sizeBytes: GIB };
    const { config, text } = generate({ ...large, pmemNamespaces: [labelled, without] });
    expect(config.engines.map(({ scm }) => scm)).toMatchObject([
      { class: "dcpm", device: `uuid:${uuid}` },
      { class: "dcpm", device: "/dev/pmem1" },
    ]);
    expect(text).toContain("# /dev/pmem0.8 at the moment; ");
  });

  it.each([
    ["none of them has persistent memory", 1.4, [], [0]],
    [
      "the other one has persistent memory",
      1.2,
      [{ device: "/dev/pmem1", numaNode: 1, sizeBytes: GIB }],
      [1],
    ],
  ])(
    "generateConfig() leaves out an engine for whose tmpfs there is no memory: %s",
    (_, free, pmemNamespaces, nodes) => {
      const memory = { totalBytes: 1.9 * GIB, availableBytes: free * GIB };
      const { config, notes } = generate({ ...large, memory, pmemNamespaces });
      expect(config.engines.map(({ pinnedNumaNode }) => pinnedNumaNode)).toEqual(nodes);
      expect(notes.join("\n")).toMatch(/NUMA node [01]: no memory is left for another tmpfs/);
    },
  );

  it("generateConfig() lets the engines of both nodes share a bond that is on both, on ports of their own", () => {
    const bond = { device: "bond0", provider: "ofi+sockets", numaNodes: [0, 1] };
    const networkInterfaces = [{ device: "bond0", usable: true }];
    const { config, notes } = generate({ ...large, networkInterfaces, fabricInterfaces: [bond] });
    expect(config.engines).toMatchObject([
      { pinnedNumaNode: 0, fabricIface: "bond0", fabricIfacePort: 31416, bdev: { list: ["0000:81:00.0"] } },
      { pinnedNumaNode: 1, fabricIface: "bond0", fabricIfacePort: 32416, bdev: { list: ["0000:82:00.0"] } },
    ]);
    expect(notes.join("\n")).not.toContain("no fabric interface");
  });

  it("generateConfig() prefers sockets to RDMA that the kernel makes in software, and RDMA of a card to both", () => {
    const facts = (softwareRdma: boolean): MachineFacts => ({
      networkInterfaces: [{ device: "eth0", usable: true }],
      fabricInterfaces: [
        { device: "eth0", provider: "ofi+verbs;ofi_rxm", softwareRdma },
        { device: "eth0", provider: "ofi+sockets", softwareRdma },
      ],
    });
    expect(generate(facts(true)).config.engines).toMatchObject([{ provider: "ofi+sockets" }]);
    expect(generate(facts(false)).config.engines).toMatchObject([{ provider: "ofi+verbs;ofi_rxm" }]);
  });

  it("generateConfig() places no engine on a node without memory or without cores", () => {
    const node = (id: number, cores: number, gib: number) => ({ id, cores, memoryBytes: gib * GIB });
    const fabricInterfaces = [0, 1, 2].map((id) => ({
      device: `eth${id}`,
      provider: "ofi+sockets",
      numaNode: id,
    }));
    const { config, notes } = generate({
      numaNodes: [node(0, 4, 8), node(1, 4, 0), node(2, 0, 8)],
      networkInterfaces: fabricInterfaces.map(({ device }) => ({ device, usable: true })),
      fabricInterfaces,
    });
    expect(config.engines).toMatchObject([{ pinnedNumaNode: 0 }]);
    expect(notes).toEqual(
      expect.arrayContaining(["NUMA node 1: it has no memory", "NUMA node 2: it has no cores"]),
    );
  });

  it("falls back to memory and sockets on a small machine, and says so", () => {
    const { config, notes } = generate(small, {
      name: "yes",
      accessPoints: ["node1", "node2:5"],
      port: 5,
      allowInsecure: true,
      mountRoot: "/srv/da os",
      socketDir: "/run/d",
    });
    expect(config).toMatchObject({
      name: "yes",
      port: 5,
      accessPoints: [
        { host: "node1", port: 5 },
        { host: "node2", port: 5 },
      ],
      socketDir: "/run/d",
      transport: { allowInsecure: true },
      engines: [
        {
          provider: "ofi+sockets",
          fabricIface: "eth0",
          targets: 1,
          scm: { class: "ram", mount: "/srv/da os", sizeGiB: 2 },
        },
      ],
    });
    expect(notes).toEqual([
      "fabric providers: none were found, so the sockets of the kernel are used",
      "persistent memory for engine 0: there is none, so a tmpfs of 2 GiB stands in and loses its data at a reboot",
      "NVMe for engine 0: no free controller, so it has memory storage only",
      "system_db: no etcd cluster was named, so the first access point leads and the others do nothing",
    ]);
  });

  it("uses the requested provider", () => {
    expect(generate(large, { provider: "ofi+sockets" }).config.engines).toMatchObject([
      { provider: "ofi+sockets", fabricIface: "eth0", pinnedNumaNode: 0 },
    ]);
  });

  it("writes no section for a machine without a network", () => {
    expect(generate({ networkInterfaces: [] }).notes).toContain(
      "engines: this machine has no usable network interface",
    );
  });
});

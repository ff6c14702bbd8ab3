import { readFileSync } from "node:fs";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { FakeCommandRunner, FakeSysTree } from "@daos/sys/testing";
import { describe, expect, it } from "vitest";
import { NetworkProvider, type NetworkProviderOptions } from "./network-provider.ts";

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8");
const verbs = (...domains: readonly string[]) =>
  domains.map((domain) => `provider: verbs;ofi_rxm\n    domain: ${domain}\n`).join("");

interface Card {
  readonly address: string;
  readonly node?: number;
  /** The RDMA device, and the interfaces in the GID table of each port. */
  readonly rdma: string;
  readonly ports: readonly (readonly string[])[];
  /** The interfaces of the PCI function, each with further files. */
  readonly net: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** A host's sysfs. The layout is that of Linux 6.1: `/sys/class/net/X/device` leads to the PCI function. */
function sysfs(...cards: readonly Card[]): FakeSysTree {
  const sys = new FakeSysTree().files({
    "/sys/devices/system/node/node0/cpulist": "0",
    "/sys/devices/system/node/node1/cpulist": "1",
  });
  for (const { address, node = 0, rdma, ports, net } of cards) {
    const device = `/sys/devices/pci0000:00/${address}`;
    sys.files({ [`${device}/numa_node`]: `${node}`, [`${device}/infiniband/${rdma}/node_type`]: "1: CA" });
    for (const [name, files] of Object.entries(net)) {
      sys.files({ [`${device}/net/${name}/type`]: "1", [`${device}/net/${name}/operstate`]: "up" });
      for (const [file, text] of Object.entries(files))
        sys.files({ [`${device}/net/${name}/${file}`]: text });
      sys
        .link(`${device}/net/${name}/device`, device)
        .link(`/sys/class/net/${name}`, `${device}/net/${name}`);
    }
    ports.forEach((table, port) => {
      sys.files({ [`${device}/infiniband/${rdma}/ports/${port + 1}/state`]: "4: ACTIVE" });
      table.forEach((name, index) => {
        sys.files({
          [`${device}/infiniband/${rdma}/ports/${port + 1}/gid_attrs/ndevs/${index}`]: `${name}\n`,
        });
      });
    });
    sys.link(`${device}/infiniband/${rdma}/device`, device);
    sys.link(`/sys/class/infiniband/${rdma}`, `${device}/infiniband/${rdma}`);
  }
  return sys;
}

function virtual(
  sys: FakeSysTree,
  name: string,
  lower: readonly string[],
  files: Readonly<Record<string, string>> = {},
) {
  const device = `/sys/devices/virtual/net/${name}`;
  sys.files({ [`${device}/type`]: "1", [`${device}/operstate`]: "up" });
  for (const [file, text] of Object.entries(files)) sys.files({ [`${device}/${file}`]: text });
  sys.link(`/sys/class/net/${name}`, device);
  for (const each of lower) sys.link(`${device}/lower_${each}`, `/sys/class/net/${each}`);
  return sys;
}

function network(sys: FakeSysTree, fiInfo: string, options: Partial<NetworkProviderOptions> = {}) {
  const runner = new FakeCommandRunner().on("fi_info", fiInfo);
  return new NetworkProvider({ runner, sys, log: silentLogger, ...options });
}

const found = async (provider: NetworkProvider, name?: string) =>
  (await provider.scan(name)).map(({ provider: offered, device }) => `${offered} ${device}`);

describe("NetworkProvider, where an RDMA device has several interfaces", () => {
  it("scan() offers verbs on the second port of a card, and check() refuses the port without carrier (libfabric issue 5958)", async () => {
    const sys = sysfs({
      address: "0000:03:00.0",
      rdma: "mlx4_0",
      ports: [[], ["mlx40"]],
      net: { ib0: { type: "32", operstate: "down" }, mlx40: { dev_port: "1" } },
    });
    const provider = network(sys, verbs("mlx4_0"));
    expect(await found(provider)).toContain("ofi+verbs;ofi_rxm mlx40");
    await provider.check("mlx40", "ofi+verbs");
    expect(await provider.domainOf("mlx40")).toBe("mlx4_0");
    await expect(provider.check("ib0", "ofi+verbs")).rejects.toMatchObject({
      code: FaultCode.networkInterfaceUnusable,
      description: expect.stringContaining("it is down"),
      resolution: expect.stringContaining("(mlx40)"),
    });
  });

  it.each([
    ["in its GID table", [["bond0"]]],
    ["as the master of its interface", [[]]],
  ])("scan() offers verbs on the bond that an RDMA device has %s (open-mpi issue 8260)", async (_, ports) => {
    const sys = sysfs({
      address: "0000:5e:00.0",
      rdma: "mlx5_bond_0",
      ports,
      net: { ens1f0: {}, ens1f1: {} },
    });
    virtual(sys, "bond0", ["ens1f0", "ens1f1"], { "bonding/mode": "802.3ad 4" });
    for (const name of ["ens1f0", "ens1f1"])
      sys.link(`/sys/class/net/${name}/master`, "/sys/class/net/bond0");
    const provider = network(sys, verbs("mlx5_bond_0"));
    await provider.check("bond0", "ofi+verbs;ofi_rxm");
    expect(await provider.domainOf("bond0")).toBe("mlx5_bond_0");
  });

  it.each([
    ["", [["ens2f0np0"]]],
    [" without a GID table", [[]]],
  ])(
    "scan() offers verbs on the uplink and on no SR-IOV representor%s (one-deploy issue 213)",
    async (_, ports) => {
      const sys = sysfs({
        address: "0000:5e:00.0",
        rdma: "mlx5_0",
        ports,
        net: {
          ens2f0_0: { phys_port_name: "pf0vf0" },
          ens2f0_1: { phys_port_name: "c1pf0vf1" },
          ens2f0_2: { phys_port_name: "pf0sf88" },
          ens2f0np0: { phys_port_name: "p0" },
        },
      });
      expect(await found(network(sys, verbs("mlx5_0")))).toEqual(["ofi+verbs;ofi_rxm ens2f0np0"]);
    },
  );

  it.each([
    ["its parent", { parent: "ib0" }, []],
    ["a link to the interface below", {}, ["ib0"]],
  ])("scan() offers verbs on an IPoIB child, known from %s", async (_, files, lower) => {
    const sys = sysfs({
      address: "0000:81:00.0",
      node: 1,
      rdma: "mlx5_0",
      ports: [[]],
      net: { ib0: { type: "32" } },
    });
    virtual(sys, "ib0.8005", lower, { type: "32", ...files });
    const provider = network(sys, verbs("mlx5_0"));
    expect(await found(provider)).toEqual(["ofi+verbs;ofi_rxm ib0", "ofi+verbs;ofi_rxm ib0.8005"]);
    expect(await provider.domainOf("ib0.8005")).toBe("mlx5_0");
  });

  it("scan() offers on Slingshot what the release has: the providers for IP, and not cxi", async () => {
    const sys = sysfs({ address: "0000:21:00.0", rdma: "cxi0", ports: [], net: { hsn0: {} } });
    const answer = "provider: cxi\n    domain: cxi0\nprovider: tcp;ofi_rxm\n    domain: hsn0\n";
    const provider = network(sys, answer);
    expect(await found(provider)).toEqual(["ofi+tcp;ofi_rxm hsn0"]);
    await provider.check("hsn0", "ofi+tcp");
    await expect(provider.check("hsn0", "ofi+verbs")).rejects.toMatchObject({
      code: FaultCode.networkUnsupportedProvider,
    });
  });
});

describe("NetworkProvider, with stacked interfaces", () => {
  const two = () =>
    sysfs(
      { address: "0000:21:00.0", node: 0, rdma: "mlx5_0", ports: [["eth0"]], net: { eth0: {} } },
      { address: "0000:41:00.0", node: 1, rdma: "mlx5_1", ports: [["eth1", "eth1.200"]], net: { eth1: {} } },
    );

  it("interfaces() takes the NUMA nodes of VLANs, bonds and bridges from what is below them", async () => {
    const sys = two();
    virtual(sys, "eth1.200", ["eth1"]);
    virtual(sys, "bond0", ["eth0", "eth1"]);
    virtual(sys, "br0", ["eth1.200"]);
    virtual(sys, "br1", []);
    const provider = network(sys, "");
    const nodes = (await provider.interfaces()).map(({ device, numaNodes }) => [device, numaNodes]);
    expect(Object.fromEntries(nodes)).toEqual({
      eth0: [0],
      eth1: [1],
      "eth1.200": [1],
      bond0: [0, 1],
      br0: [1],
      br1: [],
    });
    await provider.checkNumaNode("bond0", 0);
    await provider.checkNumaNode("bond0", 1);
    await expect(provider.checkNumaNode("eth1.200", 0)).rejects.toMatchObject({
      code: FaultCode.networkOtherNumaNode,
    });
  });

  it("scan() shows a VLAN that RoCE has an address for, with its node", async () => {
    const sys = virtual(two(), "eth1.200", ["eth1"]);
    expect(await network(sys, verbs("mlx5_1")).scan()).toEqual([
      { provider: "ofi+verbs;ofi_rxm", device: "eth1", numaNode: 1 },
      { provider: "ofi+verbs;ofi_rxm", device: "eth1.200", numaNode: 1 },
    ]);
  });

  it("interfaces() marks RDMA that the kernel makes in software", async () => {
    const sys = two();
    virtual(sys, "bond0", ["eth0"]);
    sys.files({ "/sys/devices/virtual/infiniband/rxe1/ports/1/gid_attrs/ndevs/0": "bond0" });
    sys.link("/sys/class/infiniband/rxe1", "/sys/devices/virtual/infiniband/rxe1");
    const software = (await network(sys, "").interfaces()).filter(({ softwareRdma }) => softwareRdma);
    expect(software.map(({ device }) => device)).toEqual(["bond0"]);
  });
});

interface IpAddr {
  readonly ifname: string;
  readonly operstate: string;
  readonly link_type: string;
  readonly master?: string;
  readonly addr_info: readonly { readonly local: string; readonly label?: string }[];
}

/** The host on which `ip -j addr` gave this answer. @see iproute2 6.1 */
function hostOf(answer: string) {
  const list = JSON.parse(answer) as readonly IpAddr[];
  const sys = new FakeSysTree();
  const addresses: Record<string, { readonly address: string }[]> = {};
  for (const { ifname, operstate, link_type, addr_info } of list) {
    sys.files({
      [`/sys/class/net/${ifname}/type`]: link_type === "loopback" ? "772" : "1",
      [`/sys/class/net/${ifname}/operstate`]: operstate.toLowerCase(),
    });
    // As getifaddrs(3): by label.
    for (const { local, label = ifname } of addr_info) {
      addresses[label] ??= [];
      addresses[label].push({ address: local });
    }
  }
  return { sys, addresses: () => addresses };
}

describe("NetworkProvider, with the answers of libfabric 1.17.0 on Linux 6.1", () => {
  const zoo = hostOf(fixture("iproute2-6.1.0-zoo-ip-j-addr.json"));

  it("scan() finds every interface of fi_info once, aliases too", async () => {
    const provider = network(zoo.sys, fixture("fi_info-1.17.0-zoo.txt"), zoo);
    expect((await found(provider, "ofi+sockets")).sort()).toEqual([
      "ofi+sockets bond0",
      "ofi+sockets br0",
      "ofi+sockets dummy2",
      "ofi+sockets dummy3",
      "ofi+sockets eth0",
      "ofi+sockets eth0.100",
      "ofi+sockets lo",
    ]);
  });

  it.each([
    ["eth1", "it is down"],
    ["vethA", "it is down"],
    ["dummy1", "it has no address"],
    ["dummy3", "it has no address but a link-local one"],
  ])("check() refuses %s because %s, and names the others", async (device, problem) => {
    const provider = network(zoo.sys, fixture("fi_info-1.17.0-zoo.txt"), zoo);
    await expect(provider.check(device, "ofi+sockets")).rejects.toMatchObject({
      code: FaultCode.networkInterfaceUnusable,
      description: `cannot use the fabric interface "${device}": ${problem}`,
      resolution: expect.stringContaining("(bond0, br0, dummy2, eth0, eth0.100, lo)"),
    });
  });

  it.each([
    ["bonding", "slaves", "it is a part of net9"],
    ["bridge", "stp_state", "it is a part of net9"],
    ["statistics", "rx_bytes", undefined],
  ])(
    "interfaces() says of the parts of a master with %s that it gets their traffic",
    async (kind, file, problem) => {
      const sys = virtual(sysfs(), "net9", ["eth2"], { [`${kind}/${file}`]: "0" });
      virtual(sys, "eth2", []).link("/sys/devices/virtual/net/eth2/master", "/sys/class/net/net9");
      const addresses = () => ({ eth2: [{ address: "10.11.0.1" }], net9: [{ address: "10.11.0.2" }] });
      const [eth2, net9] = await network(sys, "", { addresses }).interfaces();
      expect([eth2?.problem, net9?.problem]).toEqual([problem, undefined]);
    },
  );

  it("check() refuses an interface that has only a link-local address, as fi_info lists it", async () => {
    const sys = new FakeSysTree().files({
      "/sys/class/net/eth2/type": "1",
      "/sys/class/net/eth2/operstate": "up",
    });
    const addresses = () => ({ eth2: [{ address: "fe80::5054:ff:fe00:2" }] });
    const provider = network(sys, "provider: sockets\n    domain: eth2\n", { addresses });
    await expect(provider.check("eth2", "ofi+sockets")).rejects.toMatchObject({
      code: FaultCode.networkInterfaceUnusable,
      description: expect.stringContaining("no address but a link-local one"),
    });
  });

  it("scan() finds the interface whose only address has a label", async () => {
    const sys = new FakeSysTree().files({
      "/sys/class/net/eth0/type": "1",
      "/sys/class/net/eth1/type": "1",
      "/sys/class/net/eth1.200/type": "1",
      "/sys/class/net/lo/type": "772",
    });
    const addresses = () => ({ "eth0:0": [{ address: "10.11.0.1" }] });
    const provider = network(sys, fixture("fi_info-1.17.0-label-only.txt"), { addresses });
    expect((await found(provider, "ofi+tcp;ofi_rxm")).sort()).toEqual([
      "ofi+tcp;ofi_rxm eth0",
      "ofi+tcp;ofi_rxm eth1",
      "ofi+tcp;ofi_rxm eth1.200",
      "ofi+tcp;ofi_rxm lo",
    ]);
    await provider.check("eth0", "ofi+tcp");
  });

  it("scan() finds software RDMA on an interface and on a bond", async () => {
    const sys = sysfs();
    virtual(sys, "eth0", []);
    virtual(sys, "bond0", []);
    sys.files({
      "/sys/class/infiniband/rxe0/ports/1/gid_attrs/ndevs/0": "eth0",
      "/sys/class/infiniband/rxe1/ports/1/gid_attrs/ndevs/0": "bond0",
    });
    const provider = network(sys, fixture("fi_info-1.17.0-p-verbs-rxe-bond.txt"));
    expect((await found(provider, "ofi+verbs;ofi_rxm")).sort()).toEqual([
      "ofi+verbs;ofi_rxm bond0",
      "ofi+verbs;ofi_rxm eth0",
    ]);
  });
});

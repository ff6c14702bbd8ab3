import { readFileSync } from "node:fs";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { ProcessCommandRunner } from "@daos/sys";
import { FakeCommandRunner, FakeSysTree } from "@daos/sys/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NetworkProvider } from "./network-provider.ts";
import { parseFiInfo } from "./parse-fi-info.ts";
import { fromLibfabric, meets, toLibfabric } from "./provider-name.ts";

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8");
const tcp = fixture("fi_info-1.17.0-p-tcp.txt");
const verbs = fixture("fi_info-1.17.0-p-verbs-rxe.txt");

describe("toLibfabric(), fromLibfabric() and meets()", () => {
  it.each([
    ["ofi+verbs;ofi_rxm", "verbs;ofi_rxm"],
    ["ofi+sockets", "sockets"],
    ["sockets", undefined],
    ["ofi+verbs;", undefined],
    ["", undefined],
  ])("toLibfabric() turns %j into %s", (ours, theirs) => {
    expect(toLibfabric(ours)).toBe(theirs);
  });

  it.each([
    ["tcp;ofi_rxm", "ofi+tcp;ofi_rxm"],
    ["psm2", "ofi+psm2"],
    ["net;ofi_rxm", undefined],
    ["shm", undefined],
  ])("fromLibfabric() turns %s into %s", (theirs, ours) => {
    expect(fromLibfabric(theirs)).toBe(ours);
  });

  it("meets() accepts providers with more parts", () => {
    expect(meets("ofi+tcp;ofi_rxm", "ofi+tcp")).toBe(true);
    expect(meets("ofi+tcp", "ofi+tcp;ofi_rxm")).toBe(false);
  });
});

describe("parseFiInfo()", () => {
  it("returns each pair once", () => {
    expect(parseFiInfo(tcp).map(({ provider, domain }) => `${provider} ${domain}`)).toEqual([
      "tcp;ofi_rxm eth1",
      "tcp;ofi_rxm eth0",
      "tcp;ofi_rxm lo",
      "tcp eth1",
      "tcp eth0",
      "tcp lo",
    ]);
    expect(parseFiInfo("")).toEqual([]);
  });
});

describe("parseFiInfo(), given any text,", () => {
  it("parses it without an error, and never as an unknown provider", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (provider, domain) => {
        for (const entry of parseFiInfo(`provider: ${provider}\n    domain: ${domain}\n`)) {
          const ours = fromLibfabric(entry.provider);
          if (ours !== undefined) expect(toLibfabric(ours)).toBeDefined();
        }
      }),
    );
  });
});

/** Two nodes with an interface each, and a software RDMA device on eth0. */
function machine() {
  const sys = new FakeSysTree()
    .files({
      "/sys/class/net/bonding_masters": "",
      "/sys/devices/virtual/net/lo/type": "772",
      "/sys/devices/pci0000:20/0000:21:00.0/numa_node": "0",
      "/sys/devices/pci0000:20/0000:21:00.0/virtio3/net/eth0/type": "1",
      "/sys/devices/pci0000:40/0000:41:00.0/numa_node": "1",
      "/sys/devices/pci0000:40/0000:41:00.0/virtio4/net/eth1/type": "1",
      "/sys/devices/virtual/net/ppp0/type": "512",
      "/sys/devices/system/node/node0/cpulist": "0",
      "/sys/devices/system/node/node1/cpulist": "1",
      "/sys/class/infiniband/rxe0/ports/1/gid_attrs/ndevs/0": "eth0\n",
      "/sys/class/infiniband/mlx5_0/device/net/eth1/type": "1",
    })
    .link("/sys/class/net/lo", "../../devices/virtual/net/lo")
    .link("/sys/class/net/ppp0", "../../devices/virtual/net/ppp0")
    .link("/sys/class/net/eth0", "../../devices/pci0000:20/0000:21:00.0/virtio3/net/eth0")
    .link("/sys/class/net/eth1", "../../devices/pci0000:40/0000:41:00.0/virtio4/net/eth1")
    .link("/sys/class/net/eth0/device", "../../../virtio3")
    .link("/sys/class/net/eth1/device", "../../../virtio4");
  const runner = new FakeCommandRunner().on("fi_info", tcp + verbs);
  return { sys, runner, network: new NetworkProvider({ runner, sys, log: silentLogger }) };
}

describe("NetworkProvider.scan()", () => {
  it("joins libfabric's answer with the NUMA nodes", async () => {
    const { network } = machine();
    expect(await network.scan()).toEqual([
      { provider: "ofi+tcp;ofi_rxm", device: "eth1", numaNode: 1 },
      { provider: "ofi+tcp;ofi_rxm", device: "eth0", numaNode: 0 },
      { provider: "ofi+tcp;ofi_rxm", device: "lo", numaNode: 0 },
      { provider: "ofi+tcp", device: "eth1", numaNode: 1 },
      { provider: "ofi+tcp", device: "eth0", numaNode: 0 },
      { provider: "ofi+tcp", device: "lo", numaNode: 0 },
      { provider: "ofi+verbs", device: "eth0", numaNode: 0 },
    ]);
  });

  it("finds the interface of an RDMA device from a name with a suffix", async () => {
    const { network, runner } = machine();
    runner.on("fi_info", "provider: verbs\n    domain: mlx5_0-dgram\nprovider: verbs\n    domain: mlx5_7\n");
    expect(await network.scan()).toEqual([{ provider: "ofi+verbs", device: "eth1", numaNode: 1 }]);
  });

  it("returns only the requested provider", async () => {
    const { network } = machine();
    expect(await network.scan("ofi+verbs")).toEqual([{ provider: "ofi+verbs", device: "eth0", numaNode: 0 }]);
    expect(await network.scan("ofi+gni")).toEqual([]);
    await expect(network.scan("verbs")).rejects.toMatchObject({ code: FaultCode.networkUnsupportedProvider });
  });

  it.each([
    ["is not installed", (runner: FakeCommandRunner) => runner.missing("fi_info")],
    [
      "fails",
      (runner: FakeCommandRunner) => runner.on("fi_info", { exitCode: 61, stderr: "No data available" }),
    ],
  ])("returns the providers for IP when fi_info %s", async (_, prepare) => {
    const { network, runner } = machine();
    prepare(runner);
    const found = await network.scan("ofi+sockets");
    expect(found.map(({ device }) => device)).toEqual(["eth0", "eth1", "lo"]);
    await network.check("eth1", "ofi+tcp;ofi_rxm");
    await expect(network.check("ppp0", "ofi+tcp")).rejects.toMatchObject({
      code: FaultCode.networkUnsupportedProvider,
    });
  });

  it("of this machine has loopback with sockets", async () => {
    const network = new NetworkProvider({ runner: new ProcessCommandRunner(), log: silentLogger });
    expect(await network.scan("ofi+sockets")).toContainEqual({
      provider: "ofi+sockets",
      device: "lo",
      numaNode: 0,
    });
  });
});

describe("NetworkProvider.check()", () => {
  it("accepts pairs that fit", async () => {
    const { network } = machine();
    await network.check("eth0", "ofi+verbs");
    await network.check("lo", "ofi+tcp");
    await network.check("any", "sm");
  });

  it.each([
    ["ib0", "ofi+tcp", FaultCode.networkUnknownInterface, "(it has eth0, eth1, lo, ppp0)"],
    ["eth1", "ofi+verbs", FaultCode.networkUnsupportedProvider, "(it supports ofi+tcp;ofi_rxm, ofi+tcp)"],
    ["eth1", "ofi+psm2", FaultCode.networkUnsupportedProvider, "(it supports ofi+tcp;ofi_rxm, ofi+tcp)"],
    ["eth1", "ofi+nonsense", FaultCode.networkUnsupportedProvider, "there is no such provider"],
  ])("refuses %s with %s and lists the available ones", async (device, provider, code, text) => {
    const { network } = machine();
    await expect(network.check(device, provider)).rejects.toMatchObject({
      code,
      description: expect.stringContaining(text),
    });
  });

  it("compares NUMA nodes when there are several", async () => {
    const { network, sys } = machine();
    await network.checkNumaNode("eth1", 1);
    await network.checkNumaNode("lo", 1);
    await expect(network.checkNumaNode("ib0", 1)).rejects.toMatchObject({
      code: FaultCode.networkUnknownInterface,
    });
    await expect(network.checkNumaNode("eth1", 0)).rejects.toMatchObject({
      code: FaultCode.networkOtherNumaNode,
      resolution: expect.stringContaining("set pinned_numa_node to 1"),
    });
    sys.remove("/sys/devices/system/node/node1");
    await network.checkNumaNode("eth1", 0);
  });
});

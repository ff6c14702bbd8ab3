import { Fault, FaultCode } from "@daos/fault";
import type { FabricInterface } from "./fabric-interface.ts";
import { PROVIDERS } from "./provider-name.ts";

export function faultUnknownInterface(device: string, there: readonly string[]): Fault {
  return new Fault({
    domain: "network",
    code: FaultCode.networkUnknownInterface,
    description: `cannot use the fabric interface "${device}": this host has no such interface (it has ${there.join(", ") || "none"})`,
    resolution: "set fabric_iface to one that daos-server network scan --all shows",
  });
}

export function faultUnknownProvider(provider: string): Fault {
  return new Fault({
    domain: "network",
    code: FaultCode.networkUnsupportedProvider,
    description: `cannot use the fabric provider "${provider}": there is no such provider`,
    resolution: `set provider to one of ${PROVIDERS.filter((name) => name !== "ofi_rxm").join(", ")}, or a pair such as ofi+verbs;ofi_rxm`,
  });
}

export function faultUnsupportedProvider(
  device: string,
  provider: string,
  there: readonly FabricInterface[],
): Fault {
  const names = (list: readonly string[]) => [...new Set(list)].join(", ") || "none";
  const ofDevice = there.filter((entry) => entry.device === device).map((entry) => entry.provider);
  const ofProvider = there.filter((entry) => entry.provider === provider).map((entry) => entry.device);
  return new Fault({
    domain: "network",
    code: FaultCode.networkUnsupportedProvider,
    description: `cannot use the fabric provider "${provider}" on ${device}: the interface does not support it (it supports ${names(ofDevice)})`,
    resolution: `set provider to one that ${device} supports, or fabric_iface to an interface with ${provider} (${names(ofProvider)}); daos-server network scan --all shows both`,
  });
}

export function faultOtherNumaNode(device: string, wanted: number, actual: number): Fault {
  return new Fault({
    domain: "network",
    code: FaultCode.networkOtherNumaNode,
    description: `cannot pin the engine to NUMA node ${wanted}: its fabric interface ${device} is on node ${actual}`,
    resolution: `set pinned_numa_node to ${actual}, or fabric_iface to an interface on node ${wanted} (daos-server network scan shows the nodes)`,
  });
}

export function faultInterfaceUnusable(
  device: string,
  problem: string,
  provider: string,
  others: readonly string[],
): Fault {
  return new Fault({
    domain: "network",
    code: FaultCode.networkInterfaceUnusable,
    description: `cannot use the fabric interface "${device}": ${problem}`,
    resolution: `bring it up and give it an address (ip link set ${device} up; ip address add ADDRESS dev ${device}), or set fabric_iface to an interface with ${provider} (${others.join(", ") || "none"})`,
  });
}

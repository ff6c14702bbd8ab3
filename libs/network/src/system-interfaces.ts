import { dirname } from "node:path";
import type { SysTree } from "@daos/sys";

const NET = "/sys/class/net";
const RDMA = "/sys/class/infiniband";

/** A network interface of this host. */
export interface SystemInterface {
  readonly name: string;
  /** The first of {@link numaNodes}; 0 on a machine without NUMA nodes, and for interfaces without hardware. */
  readonly numaNode: number;
  /**
   * The NUMA nodes of its hardware. A VLAN, a bond or a bridge is on the nodes of the interfaces below it. Empty for an
   * interface without hardware.
   */
  readonly numaNodes: readonly number[];
  /** It can carry IP: Ethernet, InfiniBand and loopback. */
  readonly ip: boolean;
  readonly isInfiniband: boolean;
  /** It is up, or has no state, as lo. */
  readonly isUp: boolean;
  /** The bond or bridge that it is a part of, which has its traffic; undefined for none. */
  readonly master: string | undefined;
}

/** ARPHRD_ETHER, ARPHRD_INFINIBAND, ARPHRD_LOOPBACK. @see linux/if_arp.h */
const IP_TYPES = new Set(["1", "32", "772"]);
const INFINIBAND = "32";

/** The interfaces in sysfs, by name. */
export async function systemInterfaces(sys: SysTree): Promise<readonly SystemInterface[]> {
  const found: SystemInterface[] = [];
  for (const name of await sys.list(NET)) {
    const type = await sys.read(`${NET}/${name}/type`);
    // bonding_masters is a file in this directory, not an interface.
    if (type === undefined) continue;
    const numaNodes = [...(await numaNodesOf(sys, name))].sort((a, b) => a - b);
    const state = (await sys.read(`${NET}/${name}/operstate`)) ?? "unknown";
    found.push({
      name,
      numaNode: numaNodes[0] ?? 0,
      numaNodes,
      ip: IP_TYPES.has(type),
      isInfiniband: type === INFINIBAND,
      isUp: state === "up" || state === "unknown",
      master: await masterOf(sys, name),
    });
  }
  return found;
}

/** A VRF is a master too, but leaves an interface its addresses. */
async function masterOf(sys: SysTree, name: string): Promise<string | undefined> {
  const master = (await sys.resolve(`${NET}/${name}/master`))?.split("/").at(-1);
  if (master === undefined) return undefined;
  for (const kind of ["bonding", "bridge"])
    if ((await sys.list(`${NET}/${master}/${kind}`)).length > 0) return master;
  return undefined;
}

/** More than any stack of VLANs, bonds and bridges has. The kernel allows no circles. */
const MAX_DEPTH = 8;

async function numaNodesOf(sys: SysTree, name: string, depth = 0): Promise<ReadonlySet<number>> {
  const device = await sys.resolve(`${NET}/${name}/device`);
  if (device !== undefined) return new Set([await numaNodeOf(sys, device)]);
  const nodes = new Set<number>();
  if (depth === MAX_DEPTH) return nodes;
  for (const lower of await lowerInterfaces(sys, name)) {
    for (const node of await numaNodesOf(sys, lower, depth + 1)) nodes.add(node);
  }
  return nodes;
}

/** The interfaces on which a VLAN, a bond or a bridge is built, from links such as `lower_eth0`. */
async function lowerInterfaces(sys: SysTree, name: string): Promise<readonly string[]> {
  return (await sys.list(`${NET}/${name}`)).flatMap((entry) =>
    entry.startsWith("lower_") ? [entry.slice("lower_".length)] : [],
  );
}

/** The node of a device, or of its nearest parent with a node: a virtio interface is below its PCI device. */
async function numaNodeOf(sys: SysTree, device: string): Promise<number> {
  let path = device;
  while (path.startsWith("/sys/devices/")) {
    const node = await sys.read(`${path}/numa_node`);
    if (node !== undefined) return Math.max(0, Number(node));
    path = dirname(path);
  }
  return 0;
}

/**
 * The interfaces behind a domain of libfabric: itself when it is one (`eth0`, or `eth0:0` for an address with a label), else
 * the interfaces of the RDMA device (`mlx5_0`, `hfi1_0`, also with a suffix as in `mlx5_0-dgram`). Empty when there is none.
 */
export async function interfacesOfDomain(
  sys: SysTree,
  domain: string,
  interfaces: readonly SystemInterface[],
): Promise<readonly SystemInterface[]> {
  const [unlabelled] = domain.split(":");
  const direct = interfaces.find(({ name }) => name === domain || name === unlabelled);
  if (direct !== undefined) return [direct];
  const rdma = (await sys.list(RDMA))
    .filter((name) => domain === name || domain.startsWith(`${name}-`))
    .sort((a, b) => b.length - a.length)[0];
  return rdma === undefined ? [] : interfacesOfRdmaDevice(sys, rdma, interfaces);
}

/** The RDMA device behind an interface, `mlx5_0` for `ib0`, which `ofi+verbs` calls its domain; undefined when there is none. */
export async function rdmaDeviceOf(
  sys: SysTree,
  device: string,
  interfaces: readonly SystemInterface[],
): Promise<string | undefined> {
  for (const rdma of await sys.list(RDMA)) {
    const names = (await interfacesOfRdmaDevice(sys, rdma, interfaces)).map(({ name }) => name);
    if (names.includes(device)) return rdma;
  }
  return undefined;
}

/** True when the kernel makes the RDMA device of an interface in software (rxe, siw): every byte costs processor time. */
export async function isSoftwareRdma(
  sys: SysTree,
  device: string,
  interfaces: readonly SystemInterface[],
): Promise<boolean> {
  const rdma = await rdmaDeviceOf(sys, device, interfaces);
  if (rdma === undefined) return false;
  const path = await sys.resolve(`${RDMA}/${rdma}`);
  return path?.startsWith("/sys/devices/virtual/") === true;
}

/**
 * One RDMA device may have several interfaces: those in the GID tables of its ports (with RoCE also bonds and VLANs), those
 * of its PCI function (with InfiniBand one for each port), the bond that such an interface is a part of, and the IPoIB
 * children of all of these. A representor leads to a virtual function, and carries none of the host's own traffic.
 */
async function interfacesOfRdmaDevice(
  sys: SysTree,
  rdma: string,
  interfaces: readonly SystemInterface[],
): Promise<readonly SystemInterface[]> {
  const names = new Set<string>();
  for (const port of await sys.list(`${RDMA}/${rdma}/ports`)) {
    const table = `${RDMA}/${rdma}/ports/${port}/gid_attrs/ndevs`;
    for (const index of await sys.list(table)) names.add((await sys.read(`${table}/${index}`)) ?? "");
  }
  for (const name of await sys.list(`${RDMA}/${rdma}/device/net`)) {
    if (await isRepresentor(sys, name)) continue;
    names.add(name);
    const master = (await sys.resolve(`${NET}/${name}/master`))?.split("/").at(-1);
    if (master !== undefined && (await sys.list(`${NET}/${master}/bonding`)).length > 0) names.add(master);
  }
  for (const { name, isInfiniband } of interfaces) {
    const parent = isInfiniband ? await sys.read(`${NET}/${name}/parent`) : undefined;
    const below = isInfiniband
      ? [...(await lowerInterfaces(sys, name)), ...(parent === undefined ? [] : [parent])]
      : [];
    if (below.some((lower) => names.has(lower))) names.add(name);
  }
  return interfaces.filter(({ name }) => names.has(name));
}

/** `pf0vf1`, `c1pf0vf1` or `pf0sf88`; the uplink is `p0`. @see Linux Documentation/networking/switchdev.rst */
async function isRepresentor(sys: SysTree, name: string): Promise<boolean> {
  return /^(?:c\d+)?pf\d+(?:[vs]f\d+)?$/.test((await sys.read(`${NET}/${name}/phys_port_name`)) ?? "");
}

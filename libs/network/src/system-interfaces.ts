import { dirname } from "node:path";
import type { SysTree } from "@daos/sys";

/** A network interface of this host. */
export interface SystemInterface {
  readonly name: string;
  /** 0 on a machine without NUMA nodes, and for interfaces without hardware. */
  readonly numaNode: number;
  /** It can carry IP: Ethernet, InfiniBand and loopback. */
  readonly ip: boolean;
}

/** ARPHRD_ETHER, ARPHRD_INFINIBAND, ARPHRD_LOOPBACK. @see linux/if_arp.h */
const IP_TYPES = new Set(["1", "32", "772"]);

/** The interfaces in sysfs, by name. */
export async function systemInterfaces(sys: SysTree): Promise<readonly SystemInterface[]> {
  const names: string[] = [];
  for (const name of await sys.list("/sys/class/net")) {
    // bonding_masters is a file in this directory, not an interface.
    if ((await sys.read(`/sys/class/net/${name}/type`)) !== undefined) names.push(name);
  }
  return Promise.all(
    names.map(async (name) => ({
      name,
      numaNode: await numaNodeOf(sys, `/sys/class/net/${name}/device`),
      ip: IP_TYPES.has((await sys.read(`/sys/class/net/${name}/type`)) ?? ""),
    })),
  );
}

/** The node of a device, or of its nearest parent with a node: a virtio interface is below its PCI device. */
async function numaNodeOf(sys: SysTree, device: string): Promise<number> {
  let path = await sys.resolve(device);
  while (path?.startsWith("/sys/devices/")) {
    const node = await sys.read(`${path}/numa_node`);
    if (node !== undefined) return Math.max(0, Number(node));
    path = dirname(path);
  }
  return 0;
}

/**
 * The interface behind a domain of libfabric: itself when it is one (`eth0`), else the interface of the RDMA device
 * (`mlx5_0`, `hfi1_0`, also with a suffix as in `mlx5_0-dgram`); undefined when there is none.
 */
export async function interfaceOfDomain(
  sys: SysTree,
  domain: string,
  interfaces: readonly SystemInterface[],
): Promise<SystemInterface | undefined> {
  const direct = interfaces.find(({ name }) => name === domain);
  if (direct !== undefined) return direct;
  const rdma = (await sys.list("/sys/class/infiniband"))
    .filter((name) => domain === name || domain.startsWith(`${name}-`))
    .sort((a, b) => b.length - a.length)[0];
  if (rdma === undefined) return undefined;
  const device = `/sys/class/infiniband/${rdma}`;
  const [sibling] = await sys.list(`${device}/device/net`);
  // A software RDMA device has no hardware. The GID table of its port names its interface.
  const name = sibling ?? (await sys.read(`${device}/ports/1/gid_attrs/ndevs/0`));
  return interfaces.find((entry) => entry.name === name);
}

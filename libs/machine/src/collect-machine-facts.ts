import { lookup } from "node:dns/promises";
import { realpath, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import {
  BdevProvider,
  DeviceUses,
  DRIVER_JOURNAL,
  fileJournal,
  USER_DRIVERS,
  whyNotOffered,
  whyParked,
  whyUnusable,
} from "@daos/bdev";
import type {
  FabricInterfaceFacts,
  MachineFacts,
  NetworkInterfaceFacts,
  NumaNodeFacts,
  NvmeControllerFacts,
  PathFacts,
  PmemNamespaceFacts,
} from "@daos/config";
import { toFault } from "@daos/fault";
import type { Logger } from "@daos/log";
import { NetworkProvider } from "@daos/network";
import { ScmProvider } from "@daos/scm";
import {
  abortable,
  claimOf,
  deadline,
  hasErrorCode,
  linuxMountTable,
  linuxSysTree,
  type MountTable,
  ProcessCommandRunner,
  type SysTree,
  unclaimedUse,
} from "@daos/sys";

export interface CollectOptions {
  readonly log: Logger;
  readonly signal?: AbortSignal | undefined;
  /** The paths of a configuration. */
  readonly paths?: readonly string[] | undefined;
  /** The hosts of a configuration. */
  readonly hosts?: readonly string[] | undefined;
  /** Read only files of the kernel: no devices, no fabric. */
  readonly quick?: boolean | undefined;
}

/** The facts, and notes about parts that could not be read. */
export interface CollectedFacts {
  readonly facts: MachineFacts;
  readonly notes: readonly string[];
}

/** Collects the facts of this machine. A part that cannot be read is left out, with a note that gives the reason. */
export async function collectMachineFacts(options: CollectOptions): Promise<CollectedFacts> {
  const { log, signal, paths = [], hosts = [], quick = false } = options;
  const runner = new ProcessCommandRunner();
  const network = new NetworkProvider({ runner, log });
  const notes: string[] = [];
  const part = async <T>(what: string, look: () => Promise<T>, slow = false): Promise<T | undefined> => {
    if (slow && quick) return undefined;
    try {
      return await look();
    } catch (error) {
      signal?.throwIfAborted();
      notes.push(`${what} cannot be examined: ${toFault(error).message}`);
      return undefined;
    }
  };
  const [
    memory,
    numaNodes,
    interfaces,
    fabricInterfaces,
    pmemNamespaces,
    nvmeControllers,
    pathFacts,
    addresses,
  ] = await Promise.all([
    part("memory", () => readMemory(linuxSysTree)),
    part("NUMA nodes", () => readNumaNodes(linuxSysTree)),
    part("network interfaces", () => readInterfaces(network)),
    part("fabric interfaces", () => scanFabric(network, signal), true),
    part("persistent memory", () => scanPmem(new ScmProvider({ runner, log }), signal), true),
    part(
      "NVMe controllers",
      () =>
        readControllers(
          new BdevProvider({ runner, log }),
          new DeviceUses({
            sys: linuxSysTree,
            mounts: linuxMountTable,
            runner,
            journal: fileJournal(DRIVER_JOURNAL),
          }),
          { signal, note: (text) => void notes.push(text) },
        ),
      true,
    ),
    part("paths", async () => Object.fromEntries(await Promise.all(paths.map(lookAt)))),
    part("names of hosts", () => resolveHosts(hosts, signal)),
  ]);
  return {
    facts: {
      memory: memory?.memory,
      hugepages: memory?.hugepages,
      numaNodes,
      networkInterfaces: interfaces,
      fabricInterfaces,
      pmemNamespaces,
      nvmeControllers,
      paths: pathFacts,
      hostAddresses: addresses,
      unresolvedHosts: addresses && hosts.filter((host) => addresses[host] === undefined),
    },
    notes,
  };
}

/** A resolver that does not answer must not hold up the check. */
const RESOLVE_TIMEOUT_MS = 5_000;

/** The addresses of each host. One that does not resolve in time is left out: it may be known to other hosts. */
export async function resolveHosts(
  hosts: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Readonly<Record<string, readonly string[]>>> {
  using limit = deadline(RESOLVE_TIMEOUT_MS, "resolving the names of hosts", signal);
  const found = await Promise.all(
    [...new Set(hosts)].map(async (host) => {
      try {
        const all = await abortable(lookup(host, { all: true }), limit.signal);
        return [[host, all.map(({ address }) => address)] as const];
      } catch {
        signal?.throwIfAborted();
        return [];
      }
    }),
  );
  return Object.fromEntries(found.flat());
}

/** The interfaces of the kernel, those that can carry an engine and those that cannot. */
export async function readInterfaces(
  network: Pick<NetworkProvider, "interfaces">,
): Promise<readonly NetworkInterfaceFacts[]> {
  return (await network.interfaces()).map(({ device, numaNodes, problem }) => ({
    device,
    numaNode: numaNodes.length === 1 ? numaNodes[0] : undefined,
    usable: problem === undefined,
    problem,
  }));
}

/** An interface without hardware (lo, a bridge of virtual machines) belongs to no node, a bond perhaps to several. */
export async function scanFabric(
  network: Pick<NetworkProvider, "interfaces" | "scan">,
  signal: AbortSignal | undefined,
): Promise<readonly FabricInterfaceFacts[]> {
  const interfaces = new Map((await network.interfaces()).map((entry) => [entry.device, entry]));
  return (await network.scan(undefined, { signal })).map(({ device, provider }) => {
    const { numaNodes = [], softwareRdma = false } = interfaces.get(device) ?? {};
    return {
      device,
      provider,
      numaNode: numaNodes.length === 1 ? numaNodes[0] : undefined,
      ...(numaNodes.length > 1 ? { numaNodes } : {}),
      ...(softwareRdma ? { softwareRdma } : {}),
    };
  });
}

async function scanPmem(
  scm: ScmProvider,
  signal: AbortSignal | undefined,
): Promise<readonly PmemNamespaceFacts[]> {
  const { namespaces } = await scm.scan({ signal });
  return namespaces.map(({ blockdev, uuid, mode, numaNode, size }) => ({
    device: `/dev/${blockdev}`,
    uuid,
    mode,
    numaNode,
    sizeBytes: Number(size),
  }));
}

/** Reads `/proc/meminfo`, whose lines look like `MemTotal:        8130472 kB`. */
export async function readMemory(sys: SysTree): Promise<Pick<MachineFacts, "memory" | "hugepages">> {
  const text = (await sys.read("/proc/meminfo")) ?? "";
  const bytes = (name: string) => {
    const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text);
    return match === null ? undefined : Number(match[1]) * 1024;
  };
  const [totalBytes, availableBytes, hugepage] = ["MemTotal", "MemAvailable", "Hugepagesize"].map(bytes);
  return {
    memory:
      totalBytes === undefined ? undefined : { totalBytes, availableBytes: availableBytes ?? totalBytes },
    // SPDK's pages are those of 2 MiB, also where the kernel's default is 1 GiB.
    hugepages: hugepage === undefined ? undefined : { pageBytes: 2 * 1024 * 1024 },
  };
}

/** The NUMA nodes in sysfs with their physical cores; a machine without any is one node. */
export async function readNumaNodes(sys: SysTree): Promise<readonly NumaNodeFacts[]> {
  const root = "/sys/devices/system";
  const nodes = (await sys.list(`${root}/node`)).filter((name) => /^node\d+$/.test(name));
  if (nodes.length === 0) {
    const { memory } = await readMemory(sys);
    return [{ id: 0, cores: await countCores(sys, `${root}/cpu`), memoryBytes: memory?.totalBytes ?? 0 }];
  }
  return Promise.all(
    nodes.map(async (name) => {
      const meminfo = (await sys.read(`${root}/node/${name}/meminfo`)) ?? "";
      const kib = Number(/MemTotal:\s+(\d+) kB/.exec(meminfo)?.[1] ?? 0);
      return {
        id: Number(name.slice("node".length)),
        cores: await countCores(sys, `${root}/node/${name}`),
        memoryBytes: kib * 1024,
      };
    }),
  );
}

/** Threads of one core name the same siblings. */
async function countCores(sys: SysTree, directory: string): Promise<number> {
  const cpus = (await sys.list(directory)).filter((name) => /^cpu\d+$/.test(name));
  const siblings = await Promise.all(
    cpus.map(async (cpu) => (await sys.read(`${directory}/${cpu}/topology/thread_siblings_list`)) ?? cpu),
  );
  return new Set(siblings).size;
}

/** The NVMe controllers, with their uses and contents, as a format would find them. */
export async function readControllers(
  bdev: Pick<BdevProvider, "scan">,
  uses: DeviceUses,
  {
    sys = linuxSysTree,
    signal,
    note,
  }: {
    /** The kernel's by default. */
    readonly sys?: SysTree;
    readonly signal?: AbortSignal | undefined;
    readonly note: (text: string) => void;
  },
): Promise<readonly NvmeControllerFacts[]> {
  const controllers = await bdev.scan({ signal });
  return Promise.all(
    controllers.map(async ({ pciAddress, model, numaNode, driver, namespaces }) => {
      const [use, namespaceIds] = await Promise.all([uses.find(pciAddress), uses.namespaceIds(pciAddress)]);
      const contents = use === undefined ? await readContents(uses, pciAddress, signal, note) : undefined;
      const names = await uses.blockDevices(pciAddress);
      return {
        address: pciAddress,
        model,
        numaNode,
        sizeBytes: Number(namespaces.reduce((sum, { size }) => sum + size, 0n)),
        use,
        userDriven: driver !== undefined && USER_DRIVERS.includes(driver),
        unusable: await whyUnusable(sys, pciAddress, names),
        notOffered: (await whyNotOffered(sys, pciAddress)) ?? (await whyParked(sys, pciAddress)),
        contents,
        namespaceIds,
      };
    }),
  );
}

/** A user without privileges cannot read devices. */
async function readContents(
  uses: DeviceUses,
  address: string,
  signal: AbortSignal | undefined,
  note: (text: string) => void,
): Promise<string | undefined> {
  try {
    return await uses.contents(address, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    note(`the contents of NVMe controller ${address} are unknown: ${toFault(error).message}`);
    return undefined;
  }
}

async function lookAt(path: string): Promise<readonly [string, PathFacts]> {
  const status = await statOrNothing(path);
  const kind =
    status === undefined
      ? "missing"
      : status.isDirectory()
        ? "directory"
        : status.isFile()
          ? "file"
          : status.isBlockDevice()
            ? "block"
            : "other";
  const space = await spaceAt(path);
  return [
    path,
    {
      kind,
      ...(kind === "block" ? { use: await useOfBlockDevice(path) } : {}),
      sizeBytes: kind === "file" ? status?.size : undefined,
      fileSystemBytes: space === undefined ? undefined : space.blocks * space.bsize,
      freeBytes: space === undefined ? undefined : space.bavail * space.bsize,
    },
  ];
}

/**
 * What uses a block device, as a clause; undefined when nothing does.
 *
 * @param options.mounts, options.claim, options.sys the kernel's by default
 */
export async function useOfBlockDevice(
  path: string,
  options: {
    readonly mounts?: MountTable;
    readonly claim?: (device: string) => ReturnType<typeof claimOf>;
    readonly sys?: SysTree;
  } = {},
): Promise<string | undefined> {
  const { mounts = linuxMountTable, claim = claimOf, sys = linuxSysTree } = options;
  const device = await realpath(path);
  const mount = (await mounts.list()).find(({ source }) => source === device);
  if (mount !== undefined) return `it is mounted at ${mount.mountPoint}`;
  const unclaimed = await unclaimedUse(sys, [device.slice("/dev/".length)]);
  if (unclaimed !== undefined) return unclaimed;
  return (await claim(device)) === "claimed" ? "the kernel has it (a volume, RAID, swap)" : undefined;
}

async function statOrNothing(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return undefined;
    throw error;
  }
}

/** The file system on which a path is or would be created. */
async function spaceAt(path: string) {
  for (let at = path; ; at = dirname(at)) {
    try {
      return await statfs(at);
    } catch (error) {
      if (!hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) throw error;
      if (at === dirname(at)) return undefined;
    }
  }
}

import { countOf } from "@daos/fault";
import type {
  FabricInterfaceFacts,
  MachineFacts,
  NumaNodeFacts,
  NvmeControllerFacts,
  PmemNamespaceFacts,
} from "./machine-facts.ts";

/** Settings that cannot be read from the machine. */
export interface GenerateOptions {
  readonly name?: string | undefined;
  /** `host` or `host:port` each; this host by default. */
  readonly accessPoints?: readonly string[] | undefined;
  readonly port?: number | undefined;
  /** Only interfaces with this provider; by default the best that the machine has. */
  readonly provider?: string | undefined;
  /** Parent of the engines' mount points; `/mnt/daos` by default. */
  readonly mountRoot?: string | undefined;
  readonly socketDir?: string | undefined;
  readonly allowInsecure?: boolean | undefined;
}

/** A configuration for a machine. */
export interface GeneratedConfig {
  /** The file, with comments that give reasons. */
  readonly text: string;
  /** The parts that were left out or reduced, with the reasons; also in the file. */
  readonly notes: readonly string[];
}

/** Best first; without RDMA it is sockets, as release 0.8.0 recommends. */
const PROVIDERS = ["ofi+psm2", "ofi+verbs;ofi_rxm", "ofi+verbs", "ofi+sockets", "ofi+tcp;ofi_rxm", "ofi+tcp"];
const FALLBACK_PROVIDER = "ofi+sockets";
const FIRST_FABRIC_PORT = 31_416;
const FABRIC_PORT_STEP = 1_000;
const MAX_TARGETS = 16;
/** Cores of a node that are reserved for the control plane and the kernel. */
const SPARE_CORES = 1;
const GIB = 2 ** 30;
/** The share of free memory that engines may use as storage, and the share that the smallest tmpfs of each may take. */
const MEMORY_SHARE = 0.5;
const MAX_SHARE = 0.75;

interface Node {
  /** `undefined`: the machine has only one, and engines need not be pinned. */
  readonly id: number | undefined;
  readonly cores: number;
  readonly memoryBytes: number;
}

interface Engine {
  readonly index: number;
  readonly node: Node;
  readonly iface: string;
}

/**
 * Writes a configuration for a machine: one engine for each NUMA node that has a fabric interface, on the node's
 * persistent memory (else a tmpfs) and its NVMe controllers (else none).
 *
 * The result passes the check of the file and, as long as the facts hold, the check against the machine.
 */
export function generateConfig(facts: MachineFacts, options: GenerateOptions = {}): GeneratedConfig {
  const notes: string[] = [];
  const note = (text: string) => notes.push(text);
  const { provider, interfaces } = chooseFabric(facts, options.provider, note);
  const engines = withinMemory(placeEngines(facts, interfaces, note), facts, note);
  const sections = engines.flatMap((engine) => engineSection(engine, engines, facts, options, note));

  const port = options.port ?? 10_001;
  const accessPoints = options.accessPoints ?? [`localhost:${port}`];
  const text: string[] = [];
  text.push(
    "# Configuration of a DAOS server, made for this machine by: daos-server config generate",
    "# What a key means: daos-server config explain KEY",
    "",
    "# Name of the system; fixed once storage is formatted.",
    `name: ${quote(options.name ?? "daos_server")}`,
    "",
    "# Hosts of the management service; the same list on every server. With three or five of them members, joined engines and",
    "# commands survive the loss of one or two. Pools do not: engines of release 0.8.0 keep their list on the first one only.",
    `access_points: [${accessPoints.map(quote).join(", ")}]`,
    `port: ${port}`,
    "",
    ...systemDbSection(accessPoints, note),
    "# Without certificates (daos-server cert makes them) only a test system can run: allow_insecure: true",
    "transport_config:",
    `  allow_insecure: ${options.allowInsecure ?? false}`,
    "",
    "# How engines talk over the fabric.",
    `provider: ${quote(provider)}`,
    "",
  );
  if (options.socketDir !== undefined) {
    text.push("# Sockets between control plane and engines.", `socket_dir: ${quote(options.socketDir)}`, "");
  }
  const hugepages = hugepagesFor(engines, facts, note);
  if (hugepages !== undefined) text.push("# For SPDK, over all engines.", `nr_hugepages: ${hugepages}`, "");
  if (notes.length > 0) {
    text.push("# Left out or reduced, and why:", ...notes.map((line) => `# - ${line}`), "");
  }
  if (sections.length > 0) text.push("servers:", ...sections);
  return { text: `${text.join("\n")}\n`, notes };
}

type Note = (text: string) => void;

function systemDbSection(accessPoints: readonly string[], note: Note): readonly string[] {
  if (accessPoints.length < 2) return [];
  note("system_db: no etcd cluster was named, so the first access point leads and the others do nothing");
  return [
    "# Several access points elect a leader through etcd:",
    "# system_db:",
    "#   backend: etcd",
    '#   endpoints: ["https://etcd1:2379", "https://etcd2:2379", "https://etcd3:2379"]',
    "",
  ];
}

function chooseFabric(
  facts: MachineFacts,
  wanted: string | undefined,
  note: Note,
): { readonly provider: string; readonly interfaces: readonly Omit<FabricInterfaceFacts, "provider">[] } {
  const usable = new Map((facts.networkInterfaces ?? []).map((entry) => [entry.device, entry]));
  const isUsable = (device: string) => usable.get(device)?.usable ?? true;
  const unusable = new Map<string, string>();
  const fabric = (facts.fabricInterfaces ?? []).filter(({ device }) => {
    if (isUsable(device)) return true;
    unusable.set(device, usable.get(device)?.problem ?? "it is down or has no address");
    return false;
  });
  for (const [device, problem] of unusable) note(`interface ${device}: ${problem}`);
  const rank = (name: string) => {
    const at = PROVIDERS.indexOf(name);
    // RDMA in software costs processor time and is slower than sockets.
    const isSoftware =
      name.includes("verbs") &&
      fabric.every(({ provider, softwareRdma }) => provider !== name || softwareRdma === true);
    return (at === -1 ? PROVIDERS.length : at) + (isSoftware ? PROVIDERS.length : 0);
  };
  const providers = [...new Set(fabric.map((entry) => entry.provider))].toSorted((a, b) => rank(a) - rank(b));
  const provider = wanted ?? providers[0];
  if (provider !== undefined) {
    const interfaces = fabric.filter((entry) => entry.provider === provider);
    const physical = interfaces.filter(({ device }) => device !== "lo");
    if (physical.length > 0) return { provider, interfaces: physical };
    if (interfaces.length > 0) return { provider, interfaces };
    note(`provider ${provider}: no interface supports it`);
  }
  const plain = (facts.networkInterfaces ?? []).filter((entry) => entry.usable);
  const physical = plain.filter(({ device }) => device !== "lo");
  if (fabric.length === 0) note("fabric providers: none were found, so the sockets of the kernel are used");
  return { provider: FALLBACK_PROVIDER, interfaces: physical.length > 0 ? physical : plain };
}

function placeEngines(
  facts: MachineFacts,
  interfaces: readonly Omit<FabricInterfaceFacts, "provider">[],
  note: Note,
): readonly Engine[] {
  const nodes = facts.numaNodes ?? [];
  const devices = interfaces.filter(
    (entry, at) => interfaces.findIndex(({ device }) => device === entry.device) === at,
  );
  const [first] = devices;
  if (first === undefined) {
    note("engines: this machine has no usable network interface");
    return [];
  }
  if (nodes.length <= 1) {
    for (const { device } of devices.slice(1)) note(`interface ${device}: one engine for one NUMA node`);
    const node = nodes[0] ?? { cores: 1, memoryBytes: facts.memory?.totalBytes ?? 0 };
    return [
      {
        index: 0,
        node: { id: undefined, cores: node.cores, memoryBytes: node.memoryBytes },
        iface: first.device,
      },
    ];
  }
  const engines: Engine[] = [];
  const taken = new Set<string>();
  for (const node of nodes.toSorted((a: NumaNodeFacts, b: NumaNodeFacts) => a.id - b.id)) {
    // Engines share an interface that is on the nodes of all of them, such as a bond, on ports of their own.
    const iface =
      devices.find(({ device, numaNode }) => numaNode === node.id && !taken.has(device)) ??
      devices.find(({ numaNodes }) => numaNodes?.includes(node.id) === true);
    const problem =
      node.cores === 0
        ? "it has no cores"
        : node.memoryBytes === 0
          ? "it has no memory"
          : iface === undefined
            ? "no fabric interface is on it"
            : undefined;
    if (iface === undefined || problem !== undefined) {
      note(`NUMA node ${node.id}: ${problem}`);
      continue;
    }
    taken.add(iface.device);
    engines.push({ index: engines.length, node, iface: iface.device });
  }
  if (engines.length === 0) {
    // Virtual interfaces belong to no node; one engine, not pinned, can use any.
    const cores = nodes.reduce((sum, node) => sum + node.cores, 0);
    const memoryBytes = nodes.reduce((sum, node) => sum + node.memoryBytes, 0);
    taken.add(first.device);
    engines.push({ index: 0, node: { id: undefined, cores, memoryBytes }, iface: first.device });
  }
  for (const { device } of devices) {
    if (!taken.has(device))
      note(`interface ${device}: there is an engine on its NUMA node already, or it has no node`);
  }
  return engines;
}

/** Engines without persistent memory need a tmpfs of at least one GiB each. Those for which there is no memory are left out. */
function withinMemory(engines: readonly Engine[], facts: MachineFacts, note: Note): readonly Engine[] {
  const free = (facts.memory?.availableBytes ?? Number.POSITIVE_INFINITY) * MAX_SHARE;
  const hasPmem = (engine: Engine) => namespacesFor(engine, facts, () => {}).length > 0;
  // A machine is left one engine at least.
  const most = Math.max(engines.some(hasPmem) ? 0 : 1, Math.floor(free / GIB));
  let inMemory = 0;
  const kept = engines.filter((engine) => {
    if (hasPmem(engine)) return true;
    inMemory += 1;
    if (inMemory <= most) return true;
    note(`NUMA node ${engine.node.id}: no memory is left for another tmpfs of 1 GiB, so it has no engine`);
    return false;
  });
  return kept.map((engine, index) => ({ ...engine, index }));
}

function engineSection(
  engine: Engine,
  engines: readonly Engine[],
  facts: MachineFacts,
  options: GenerateOptions,
  note: Note,
): readonly string[] {
  const { index, node, iface } = engine;
  const lines = [
    `- # Engine ${index}${node.id === undefined ? "" : ` on NUMA node ${node.id}`}, ${countOf(node.cores, "core")}.`,
    `  targets: ${targetsFor(node)}`,
    "  nr_xs_helpers: 0",
    "  first_core: 0",
    ...(node.id === undefined ? [] : [`  pinned_numa_node: ${node.id}`]),
    `  fabric_iface: ${quote(iface)}`,
    `  fabric_iface_port: ${FIRST_FABRIC_PORT + index * FABRIC_PORT_STEP}`,
    `  log_file: /tmp/daos_engine.${index}.log`,
    "",
    `  scm_mount: ${quote(`${options.mountRoot ?? "/mnt/daos"}${engines.length > 1 ? `/${index}` : ""}`)}`,
  ];
  const [namespace, ...others] = namespacesFor(engine, facts, note);
  if (namespace !== undefined) {
    lines.push("  scm_class: dcpm", ...scmList(namespace));
    for (const { device } of others)
      note(`${device}: an engine takes one namespace, and engine ${index} has ${namespace.device}`);
  } else {
    const size = ramFor(engines, facts);
    note(
      `persistent memory for engine ${index}: there is none${node.id === undefined ? "" : ` on NUMA node ${node.id}`}, so a tmpfs of ${size} GiB stands in and loses its data at a reboot`,
    );
    lines.push("  scm_class: ram", `  scm_size: ${size}`);
  }
  const controllers = controllersFor(engine, facts, note);
  if (controllers.length === 0) {
    note(
      `NVMe for engine ${index}: no free controller${node.id === undefined ? "" : ` on NUMA node ${node.id}`}, so it has memory storage only`,
    );
  } else {
    lines.push(
      "",
      "  bdev_class: nvme",
      `  bdev_list: [${controllers.map(({ address }) => `"${address}"`).join(", ")}]`,
    );
  }
  return [...lines, ""];
}

/** The namespaces that can be mounted with dax, the largest first. */
function namespacesFor(engine: Engine, facts: MachineFacts, note: Note): readonly PmemNamespaceFacts[] {
  const all = (facts.pmemNamespaces ?? []).filter(({ numaNode }) => isOn(engine, numaNode));
  for (const { device, mode = "fsdax" } of all)
    if (mode !== "fsdax") note(`${device}: it is in ${mode} mode, which cannot be mounted with dax`);
  return all.filter(({ mode = "fsdax" }) => mode === "fsdax").toSorted((a, b) => b.sizeBytes - a.sizeBytes);
}

/** The uuid stays the same at a reboot, the device's name may not. A namespace without a label has no uuid. */
function scmList({ device, uuid = "" }: PmemNamespaceFacts): readonly string[] {
  return uuid === ""
    ? [`  scm_list: [${quote(device)}]`]
    : [
        `  # ${device} at the moment; a file for several hosts, or for release 0.8.0, has to name it.`,
        `  scm_list: [${quote(`uuid:${uuid}`)}]`,
      ];
}

/** Controllers that are in use, cannot be used or hold data are left out, as are further paths to one device. */
function controllersFor(engine: Engine, facts: MachineFacts, note: Note): readonly NvmeControllerFacts[] {
  const all = facts.nvmeControllers ?? [];
  return all.filter((controller) => {
    if (!isOn(engine, controller.numaNode)) return false;
    const { use, unusable, notOffered, contents } = controller;
    const reason = use ?? unusable ?? notOffered ?? contents ?? otherPath(controller, all);
    if (reason !== undefined) note(`NVMe controller ${controller.address}: ${reason}`);
    return reason === undefined;
  });
}

/** The first path to a device is used, on whatever NUMA node. */
function otherPath(controller: NvmeControllerFacts, all: readonly NvmeControllerFacts[]): string | undefined {
  const { namespaceIds = [] } = controller;
  const first = all.find(
    ({ unusable, notOffered, namespaceIds: ids }) =>
      unusable === undefined && notOffered === undefined && ids?.some((id) => namespaceIds.includes(id)),
  );
  return first === undefined || first === controller
    ? undefined
    : `it is another path to the device of ${first.address}`;
}

/** Devices without a node belong to the first engine. */
function isOn(engine: Engine, numaNode: number | undefined): boolean {
  if (engine.node.id === undefined) return true;
  return numaNode === undefined ? engine.index === 0 : numaNode === engine.node.id;
}

function targetsFor(node: Node): number {
  return Math.max(1, Math.min(MAX_TARGETS, node.cores - SPARE_CORES));
}

function ramFor(engines: readonly Engine[], facts: MachineFacts): number {
  const free = (facts.memory?.availableBytes ?? 2 * GIB) * MEMORY_SHARE;
  return Math.max(1, Math.min(64, Math.floor(free / engines.length / GIB)));
}

/** One GiB of hugepages for each target, within the available memory. */
function hugepagesFor(engines: readonly Engine[], facts: MachineFacts, note: Note): number | undefined {
  const using = engines.filter((engine) => controllersFor(engine, facts, () => {}).length > 0);
  if (using.length === 0 || facts.hugepages === undefined) return undefined;
  const { pageBytes } = facts.hugepages;
  const wanted = Math.ceil((using.reduce((sum, { node }) => sum + targetsFor(node), 0) * GIB) / pageBytes);
  const most = Math.floor(((facts.memory?.availableBytes ?? 0) * MEMORY_SHARE) / 2 / pageBytes);
  if (wanted > most && most > 0)
    note(`hugepages: ${wanted} would be one GiB for each target, the memory allows ${most}`);
  return Math.max(1, Math.min(wanted, most));
}

/** A plain scalar if that is certainly valid YAML, else in double quotes. */
function quote(text: string): string {
  return /^[A-Za-z/][A-Za-z0-9_./+;-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text)
    ? text
    : JSON.stringify(text);
}

import { dirname } from "node:path";
import { countOf } from "@daos/fault";
import { formatHostAddress } from "@daos/hostlist";
import type { MachineFacts, NvmeControllerFacts } from "./machine-facts.ts";
import { namesNamespace } from "./names-namespace.ts";
import type { Problem } from "./problem.ts";
import type { Position } from "./read-yaml.ts";
import type { Report } from "./report.ts";
import { deviceKey } from "./sharing.ts";
import type { EngineConfig, ServerConfig } from "./types.ts";

const GIB = 2 ** 30;
const GB = 10 ** 9;

/** The paths of a configuration that the check needs in {@link MachineFacts.paths}. */
export function pathsOf(config: ServerConfig): readonly string[] {
  const devices = config.engines.flatMap(({ bdev, scm }): readonly string[] => [
    ...andParents(scm.mount),
    ...(bdev.class === "file" || bdev.class === "kdev" ? bdev.list : []),
    ...(scm.class === "dcpm" && scm.device.startsWith("/") ? [scm.device] : []),
  ]);
  return [...new Set([config.socketDir, ...devices])];
}

/** The hosts of a configuration whose addresses the check needs: access points, and the members of etcd. */
export function hostsOf({ accessPoints, systemDb }: ServerConfig): readonly string[] {
  const etcd = systemDb.kind === "etcd" ? systemDb.endpoints.map(hostOfEndpoint) : [];
  return [...new Set([...accessPoints.map(({ host }) => host), ...etcd])];
}

function hostOfEndpoint(endpoint: string): string {
  return new URL(endpoint).hostname.replace(/^\[|\]$/g, "");
}

/** `/mnt/daos/0`, `/mnt/daos`, `/mnt`. A draft may lack the path. */
function andParents(path: string): readonly string[] {
  return path === "" || path === "/" ? [] : [path, ...andParents(dirname(path))];
}

export interface CheckAgainstMachineOptions {
  /** Where a key stands in the file: `positionOf` of the file's check. */
  readonly positionOf?: ((key: string) => Position | undefined) | undefined;
}

/**
 * Finds what keeps a configuration, or a draft with errors, from working on a machine. What can never work is an error: a
 * missing interface, an interface without the provider, the wrong NUMA node, a missing device, a missing socket directory, a
 * name without an address, more memory or disk than the machine has. What may change before the start is a warning: memory or
 * disk that is in use now.
 *
 * @see DAOS 0.8.0 src/control/server/config.go Validate
 */
export function checkAgainstMachine(
  config: ServerConfig,
  facts: MachineFacts,
  options: CheckAgainstMachineOptions = {},
): readonly Problem[] {
  const problems: Problem[] = [];
  const report = (severity: Problem["severity"], key: string, message: string, expected?: string) => {
    problems.push({ severity, file: config.path, ...options.positionOf?.(key), key, message, expected });
  };
  for (const engine of config.engines) {
    checkFabric(engine, facts, report);
    checkCores(engine, facts, report);
    checkMountPoint(engine, facts, report);
    checkScmDevice(engine, facts, report);
    checkBdevs(engine, facts, report);
  }
  checkPaths(config, facts, report);
  checkNamespaces(config, facts, report);
  checkAccessPoints(config, facts, report);
  checkNames(config, facts, report);
  checkMemory(config, facts, report);
  checkDisk(config, facts, report);
  const sockets = facts.paths?.[config.socketDir];
  if (sockets !== undefined && sockets.kind !== "directory") {
    const is = sockets.kind === "missing" ? "does not exist" : "is not a directory";
    report(
      "error",
      "socket_dir",
      `${config.socketDir} ${is}`,
      `a directory; make it with: mkdir -p ${config.socketDir}`,
    );
  }
  return problems;
}

const keyOf = (engine: EngineConfig, name: string) => `servers[${engine.index}].${name}`;

function checkFabric(engine: EngineConfig, facts: MachineFacts, report: Report): void {
  const { fabricIface, provider, pinnedNumaNode } = engine;
  // A draft may lack it, which the file's check has reported. Shared memory needs no interface.
  if (fabricIface === "" || provider === "sm") return;
  const known = [...(facts.networkInterfaces ?? []), ...(facts.fabricInterfaces ?? [])];
  if (facts.networkInterfaces !== undefined || facts.fabricInterfaces !== undefined) {
    if (!known.some(({ device }) => device === fabricIface)) {
      report(
        "error",
        keyOf(engine, "fabric_iface"),
        `this machine has no interface ${fabricIface}`,
        oneOf(known.map(({ device }) => device)),
      );
      return;
    }
    const iface = facts.networkInterfaces?.find(({ device }) => device === fabricIface);
    if (iface?.usable === false) {
      report(
        "error",
        keyOf(engine, "fabric_iface"),
        `${fabricIface} cannot be used: ${iface.problem ?? "it is down or has no address"}`,
        oneOf(
          (facts.networkInterfaces ?? []).filter(({ usable }) => usable).map(({ device }) => device),
          "an interface that is up and has an address",
        ),
      );
      return;
    }
  }
  if (facts.fabricInterfaces !== undefined && provider !== "") {
    const providers = facts.fabricInterfaces
      .filter(({ device }) => device === fabricIface)
      .map((found) => found.provider);
    if (!providers.some((found) => offers(found, provider))) {
      report(
        "error",
        keyOf(engine, "provider"),
        `${fabricIface} does not support ${provider}`,
        oneOf(providers, "another interface: see daos-server network scan --all"),
      );
    }
  }
  const nodes = known.flatMap(({ device, numaNode }) =>
    device === fabricIface && numaNode !== undefined ? [numaNode] : [],
  );
  for (const { device, numaNodes } of facts.fabricInterfaces ?? []) {
    if (device === fabricIface) nodes.push(...(numaNodes ?? []));
  }
  if (pinnedNumaNode === undefined) return;
  if (nodes.length > 0 && !nodes.includes(pinnedNumaNode)) {
    report(
      "error",
      keyOf(engine, "pinned_numa_node"),
      `${fabricIface} is on NUMA node ${nodes[0]}, not on ${pinnedNumaNode}`,
      `${nodes[0]}, or an interface of NUMA node ${pinnedNumaNode}`,
    );
  }
}

/** `ofi+tcp;ofi_rxm` offers `ofi+tcp` as well: it has every wanted part, in any order. */
function offers(found: string, wanted: string): boolean {
  const words = new Set(found.split(";"));
  return wanted.split(";").every((word) => words.has(word));
}

function checkCores(engine: EngineConfig, facts: MachineFacts, report: Report): void {
  const { numaNodes } = facts;
  if (numaNodes === undefined) return;
  const { pinnedNumaNode, firstCore, targets } = engine;
  const nodes =
    pinnedNumaNode === undefined ? numaNodes : numaNodes.filter(({ id }) => id === pinnedNumaNode);
  if (pinnedNumaNode !== undefined && nodes.length === 0) {
    const ids = numaNodes.map(({ id }) => String(id));
    report(
      "error",
      keyOf(engine, "pinned_numa_node"),
      `this machine has no NUMA node ${pinnedNumaNode}`,
      oneOf(ids),
    );
    return;
  }
  const cores = nodes.reduce((sum, node) => sum + node.cores, 0);
  const where = pinnedNumaNode === undefined ? "this machine" : `NUMA node ${pinnedNumaNode}`;
  if (firstCore >= cores) {
    report(
      "error",
      keyOf(engine, "first_core"),
      `${where} has ${countOf(cores, "core")}, ${firstCore} is beyond the last`,
      `0 to ${cores - 1}`,
    );
  } else if (firstCore + targets > cores) {
    report(
      "warning",
      keyOf(engine, "targets"),
      `targets on cores ${firstCore} to ${firstCore + targets - 1}: ${where} has ${countOf(cores, "core")}`,
      `at most ${cores - firstCore}; the engine takes fewer than configured`,
    );
  }
}

/** The format makes the mount point and its parents. What is there must be directories. */
function checkMountPoint(engine: EngineConfig, facts: MachineFacts, report: Report): void {
  const nearest = andParents(engine.scm.mount).find(
    (path) => facts.paths?.[path] !== undefined && facts.paths[path].kind !== "missing",
  );
  if (nearest === undefined || facts.paths?.[nearest]?.kind === "directory") return;
  report(
    "error",
    keyOf(engine, "scm_mount"),
    `${nearest} is not a directory`,
    "a directory, or a path where one can be made",
  );
}

function checkScmDevice(engine: EngineConfig, facts: MachineFacts, report: Report): void {
  const { scm, pinnedNumaNode } = engine;
  if (scm.class !== "dcpm" || scm.device === "") return;
  const key = keyOf(engine, "scm_list[0]");
  const namespaces = facts.pmemNamespaces;
  const found = namespaces?.find((namespace) => namesNamespace(scm.device, namespace));
  const path = facts.paths?.[scm.device];
  const usable = (namespaces ?? []).filter(({ mode = "fsdax" }) => mode === "fsdax");
  if (path !== undefined && path.kind !== "block") {
    const is = path.kind === "missing" ? "there is no" : "no block device is";
    report(
      "error",
      key,
      `${is} ${scm.device}`,
      oneOf(
        usable.map(({ device }) => device),
        "a namespace of persistent memory; make one with: daos-server storage prepare --scm-only",
      ),
    );
  } else if (namespaces !== undefined && found === undefined) {
    report(
      // A path may be another name of a device. A uuid can only be a namespace's.
      scm.device.startsWith("/") ? "warning" : "error",
      key,
      `${scm.device} is not a namespace of persistent memory`,
      oneOf(
        usable.map(({ device }) => device),
        "scm_class ram on this machine",
      ),
    );
  } else if (found !== undefined && !usable.includes(found)) {
    report(
      "error",
      key,
      `${scm.device} is in ${found.mode} mode and cannot be mounted with dax`,
      oneOf(
        usable.map(({ device }) => device),
        "a namespace in fsdax mode: ndctl create-namespace -f -e NAMESPACE -m fsdax, which destroys its data",
      ),
    );
  }
  if (found?.numaNode !== undefined && pinnedNumaNode !== undefined && found.numaNode !== pinnedNumaNode) {
    report(
      "warning",
      key,
      `${scm.device} is on NUMA node ${found.numaNode}, the engine on ${pinnedNumaNode}`,
      "memory of the engine's node",
    );
  }
}

function checkBdevs(engine: EngineConfig, facts: MachineFacts, report: Report): void {
  const { bdev } = engine;
  bdev.list.forEach((device, at) => {
    const key = keyOf(engine, `bdev_list[${at}]`);
    if (bdev.class === "nvme" && facts.nvmeControllers !== undefined) {
      const found = facts.nvmeControllers.find(({ address }) => deviceKey(address) === deviceKey(device));
      if (found === undefined) {
        const others = facts.nvmeControllers.map(({ address }) => address);
        report(
          "error",
          key,
          `this machine has no NVMe controller ${device}`,
          oneOf(others, "another bdev_class"),
        );
      } else {
        checkController(found, device, key, report);
      }
    }
    const path = facts.paths?.[device];
    if (path === undefined) return;
    if (bdev.class === "kdev" && path.kind !== "block") {
      report(
        "error",
        key,
        `${device} ${path.kind === "missing" ? "does not exist" : "is not a block device"}`,
        "a block device that nothing else uses",
      );
    }
    if (bdev.class === "kdev" && path.use !== undefined) {
      report("error", key, `${device} is in use: ${path.use}`, "a block device that nothing else uses");
    }
    if (bdev.class === "file" && path.kind !== "file" && path.kind !== "missing") {
      report("error", key, `${device} is not a regular file`, "a file, or a path where one can be made");
    }
  });
}

function checkController(
  { use, userDriven, unusable, contents }: NvmeControllerFacts,
  device: string,
  key: string,
  report: Report,
): void {
  if (use !== undefined) {
    // An engine that runs with this configuration uses its controllers.
    const severity = userDriven === true ? "warning" : "error";
    report(severity, key, `${device} is in use: ${use}`, "a controller that nothing else uses");
  } else if (unusable !== undefined) {
    report("error", key, `${device} cannot be used: ${unusable}`, "a controller that an engine can use");
  } else if (contents !== undefined) {
    report(
      "warning",
      key,
      `${device} holds data: ${contents}`,
      "a blank controller; only dmg storage format --reformat erases this one",
    );
  }
}

/** Two paths to one device, for one engine or two, would corrupt it. */
function checkPaths(config: ServerConfig, facts: MachineFacts, report: Report): void {
  const paths = new Map<string, string>();
  for (const engine of config.engines) {
    if (engine.bdev.class !== "nvme") continue;
    engine.bdev.list.forEach((device, at) => {
      const ids = facts.nvmeControllers?.find(
        ({ address }) => deviceKey(address) === deviceKey(device),
      )?.namespaceIds;
      const other = ids?.map((id) => paths.get(id)).find((path) => path !== undefined);
      if (other !== undefined && other !== device) {
        const key = keyOf(engine, `bdev_list[${at}]`);
        report("error", key, `${device} and ${other} are two paths to one device`, "one of them");
      }
      for (const id of ids ?? []) if (!paths.has(id)) paths.set(id, device);
    });
  }
}

/** One namespace under two names, such as its device and its uuid. The check of the file finds the same name twice. */
function checkNamespaces(config: ServerConfig, facts: MachineFacts, report: Report): void {
  const devices = config.engines.flatMap(({ scm, index }) =>
    scm.class === "dcpm" ? [{ index, name: scm.device }] : [],
  );
  for (const namespace of facts.pmemNamespaces ?? []) {
    const [first, ...others] = devices.filter(({ name }) => namesNamespace(name, namespace));
    for (const { index, name } of others) {
      if (first === undefined || name === first.name) continue;
      report(
        "error",
        `servers[${index}].scm_list[0]`,
        `${name} and ${first.name} of servers[${first.index}] are one namespace`,
        "a namespace for each engine",
      );
    }
  }
}

/** One host under two names would count twice in the majority of the access points. */
function checkAccessPoints(config: ServerConfig, facts: MachineFacts, report: Report): void {
  config.accessPoints.forEach((point, at) => {
    const addresses = facts.hostAddresses?.[point.host] ?? [];
    const other = config.accessPoints
      .slice(0, at)
      .find(
        ({ host, port }) =>
          port === point.port &&
          (host === point.host ||
            facts.hostAddresses?.[host]?.some((address) => addresses.includes(address))),
      );
    if (other === undefined) return;
    report(
      "error",
      `access_points[${at}]`,
      `${formatHostAddress(point)} and ${formatHostAddress(other)} are one host${addresses.length === 0 ? "" : ` (${addresses.join(", ")})`}`,
      "each host once",
    );
  });
}

/** The server resolves them when it starts. */
function checkNames(config: ServerConfig, facts: MachineFacts, report: Report): void {
  const unresolved = new Set(facts.unresolvedHosts);
  const check = (key: string, host: string) => {
    if (unresolved.has(host))
      report("error", key, `${host} has no address here`, "a name that is in DNS or /etc/hosts");
  };
  for (const [at, { host }] of config.accessPoints.entries()) check(`access_points[${at}]`, host);
  if (config.systemDb.kind !== "etcd") return;
  for (const [at, endpoint] of config.systemDb.endpoints.entries())
    check(`system_db.endpoints[${at}]`, hostOfEndpoint(endpoint));
}

function checkMemory(config: ServerConfig, facts: MachineFacts, report: Report): void {
  if (facts.memory === undefined) return;
  const { totalBytes, availableBytes } = facts.memory;
  let needed = 0;
  let last = "";
  for (const engine of config.engines) {
    const { scm, bdev } = engine;
    if (scm.class === "ram") {
      needed += scm.sizeGiB * GIB;
      last = keyOf(engine, "scm_size");
    }
    if (bdev.class === "malloc") {
      needed += bdev.number * bdev.sizeGB * GB;
      last = keyOf(engine, "bdev_size");
    }
  }
  const usesSpdk = config.engines.some(({ bdev }) => bdev.class === "nvme" && bdev.list.length > 0);
  if (usesSpdk && facts.hugepages !== undefined) {
    needed += config.nrHugepages * facts.hugepages.pageBytes;
    if (needed > totalBytes) last = "nr_hugepages";
  }
  if (needed > totalBytes) {
    report(
      "error",
      last,
      `engines and hugepages need ${gib(needed)} of memory, this machine has ${gib(totalBytes)}`,
      "smaller sizes",
    );
  } else if (needed > availableBytes) {
    report(
      "warning",
      last,
      `engines and hugepages need ${gib(needed)} of memory, ${gib(availableBytes)} are free now`,
      "smaller sizes",
    );
  }
}

function checkDisk(config: ServerConfig, facts: MachineFacts, report: Report): void {
  if (facts.paths === undefined) return;
  for (const engine of config.engines) {
    const { bdev } = engine;
    if (bdev.class !== "file") continue;
    bdev.list.forEach((file) => {
      const path = facts.paths?.[file];
      if (path === undefined) return;
      const more = bdev.sizeGB * GB - (path.sizeBytes ?? 0);
      const { fileSystemBytes = Number.POSITIVE_INFINITY, freeBytes = Number.POSITIVE_INFINITY } = path;
      if (more > fileSystemBytes) {
        report(
          "error",
          keyOf(engine, "bdev_size"),
          `${file} needs ${gb(more)}, its file system has ${gb(fileSystemBytes)} in all`,
          "a smaller size, or a path on a larger file system",
        );
      } else if (more > freeBytes) {
        report(
          "warning",
          keyOf(engine, "bdev_size"),
          `${file} needs ${gb(more)}, its file system has ${gb(freeBytes)} free`,
          "a smaller size, or free space",
        );
      }
    });
  }
}

function oneOf(values: readonly string[], otherwise = "none: there is none"): string {
  const unique = [...new Set(values)];
  return unique.length === 0 ? otherwise : `one of ${unique.join(", ")}`;
}

const gib = (bytes: number) => `${(bytes / GIB).toFixed(1)} GiB`;
const gb = (bytes: number) => `${(bytes / GB).toFixed(1)} GB`;

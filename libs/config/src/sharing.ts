import { posix } from "node:path";
import type { Report } from "./report.ts";
import type { EngineConfig } from "./types.ts";

export interface FindSharingOptions {
  /** Keys and ports on which the server itself listens. */
  readonly serverPorts?: readonly (readonly [key: string, port: number])[];
  /** Keys and paths of the server's own logs. */
  readonly serverLogs?: readonly (readonly [key: string, path: string])[];
  /** True when the engine's `first_core` was given, and not left to its default. */
  readonly hasFirstCore?: (index: number) => boolean;
}

/**
 * Reports resources that two engines of a host, or an engine and the server, cannot share: rank, mount point, device, port,
 * cores, log file.
 */
export function findSharing(
  engines: readonly EngineConfig[],
  report: Report,
  { hasFirstCore = () => true, serverPorts = [], serverLogs = [] }: FindSharingOptions = {},
): void {
  for (const [index, engine] of engines.entries()) {
    for (const other of engines.slice(0, index)) {
      comparePair(other, engine, report);
      sharedCores(other, engine, report, hasFirstCore(other.index) || hasFirstCore(index));
    }
    lastPorts(engine, report);
    for (const [key, port] of serverPorts) portOfServer(engine, key, port, report);
    for (const [key, path] of serverLogs) logOfServer(engine, key, path, report);
    filesInMemory(engine, engines, report);
    engine.bdev.list.forEach((device, at) => {
      if (engine.bdev.list.findIndex((other) => sameDevice(other, device)) < at) {
        report(
          "error",
          `servers[${index}].bdev_list[${at}]`,
          `${device} is listed twice`,
          "each device once",
        );
      }
    });
  }
}

/** A PCI address in its full form, lower case; other devices as they are. */
export function deviceKey(device: string): string {
  const isAddress = /^(?:[0-9a-f]{4,6}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/i.test(device);
  if (!isAddress) return device;
  return (device.split(":").length === 3 ? device : `0000:${device}`).toLowerCase();
}

/** One namespace of persistent memory: its uuid, also from a link of udev, or else the plain path of its device. */
function namespaceKey(device: string): string {
  const uuid = /^(?:uuid:|\/dev\/disk\/by-id\/pmem-)([0-9a-f-]{36})$/i.exec(posix.normalize(device))?.[1];
  return uuid === undefined ? posix.normalize(device) : `uuid:${uuid.toLowerCase()}`;
}

const sameDevice = (a: string, b: string) => deviceKey(a) === deviceKey(b);

function comparePair(a: EngineConfig, b: EngineConfig, report: Report): void {
  const key = (name: string) => `servers[${b.index}].${name}`;
  const clash = (name: string, value: string | number, expected: string) =>
    report("error", key(name), `${value} is also that of servers[${a.index}]`, expected);

  if (a.rank !== undefined && a.rank === b.rank) clash("rank", b.rank, "another rank, or none");
  if (b.scm.mount !== "" && b.scm.mount === a.scm.mount)
    clash("scm_mount", b.scm.mount, "a directory for each engine");
  nestedMounts(a, b, report);
  if (
    a.scm.class === "dcpm" &&
    b.scm.class === "dcpm" &&
    b.scm.device !== "" &&
    namespaceKey(a.scm.device) === namespaceKey(b.scm.device)
  ) {
    clash("scm_list[0]", b.scm.device, "a device for each engine");
  }
  b.bdev.list.forEach((device, at) => {
    if (a.bdev.list.some((other) => sameDevice(other, device)))
      clash(`bdev_list[${at}]`, device, "a device for one engine only");
  });
  sharedPort(a, b, report);
  if (b.logFile !== undefined && b.logFile === a.logFile) {
    report(
      "warning",
      key("log_file"),
      `servers[${a.index}] logs to ${b.logFile} too`,
      "a file for each engine",
    );
  }
}

/** A format of the outer one would hide or erase the inner one. */
function nestedMounts(a: EngineConfig, b: EngineConfig, report: Report): void {
  const isBelow = (inner: string, outer: string) => outer !== "" && inner.startsWith(`${outer}/`);
  const inside = isBelow(b.scm.mount, a.scm.mount);
  if (!inside && !isBelow(a.scm.mount, b.scm.mount)) return;
  report(
    "error",
    `servers[${b.index}].scm_mount`,
    `${b.scm.mount} ${inside ? "lies in" : "contains"} ${a.scm.mount} of servers[${a.index}]`,
    "directories beside each other, such as /mnt/daos0 and /mnt/daos1",
  );
}

/** libfabric's socket providers listen on the port of an engine and on the next three. */
const PORTS_OF_ENGINE = 4;
const MAX_PORT = 65_535;

/**
 * Two engines cannot listen on one port. This is only a warning when they are pinned to different NUMA nodes, as in
 * release 0.8.0's own template: one of the interfaces is then probably a placeholder, which the check against the
 * machine finds. Ports that are too near to each other are a warning too: not every provider takes the next ones.
 */
function sharedPort(a: EngineConfig, b: EngineConfig, report: Report): void {
  const [first, second] = [a.fabricIfacePort, b.fabricIfacePort];
  if (first === 0 || second === 0 || a.fabricIface !== b.fabricIface) return;
  const distance = Math.abs(first - second);
  if (distance >= PORTS_OF_ENGINE) return;
  const key = `servers[${b.index}].fabric_iface_port`;
  if (distance > 0) {
    report(
      "warning",
      key,
      `port ${second} on ${b.fabricIface} is too near to ${first} of servers[${a.index}]: an engine may take its port and the next three`,
      `${first + PORTS_OF_ENGINE} or more`,
    );
    return;
  }
  const pinnedApart =
    a.pinnedNumaNode !== undefined && b.pinnedNumaNode !== undefined && a.pinnedNumaNode !== b.pinnedNumaNode;
  report(
    pinnedApart ? "warning" : "error",
    key,
    `port ${second} on ${b.fabricIface} is also that of servers[${a.index}]`,
    "a port or an interface for each engine",
  );
}

/** Providers over IP listen on TCP ports, as the server does. */
const TCP_PROVIDER = /^ofi\+(?:sockets|tcp)/;

function portOfServer(
  { index, provider, fabricIface, fabricIfacePort: first }: EngineConfig,
  key: string,
  port: number,
  report: Report,
): void {
  if (first === 0 || !TCP_PROVIDER.test(provider)) return;
  if (port < first || port >= first + PORTS_OF_ENGINE) return;
  report(
    "warning",
    `servers[${index}].fabric_iface_port`,
    first === port
      ? `port ${first} on ${fabricIface} is also the server's ${key}`
      : `port ${first} on ${fabricIface} is too near to the server's ${key} ${port}: an engine may take its port and the next three`,
    `${port + 1} or more, or ${port - PORTS_OF_ENGINE} or less`,
  );
}

function logOfServer({ index, logFile }: EngineConfig, key: string, path: string, report: Report): void {
  if (logFile !== path) return;
  report("warning", `servers[${index}].log_file`, `${key} is ${path} too`, "a file for each engine");
}

/** A format of the memory storage erases what is in it, and a reboot what is in class ram. */
function filesInMemory(engine: EngineConfig, engines: readonly EngineConfig[], report: Report): void {
  if (engine.bdev.class !== "file") return;
  engine.bdev.list.forEach((path, at) => {
    const owner = engines.find(({ scm }) => scm.mount !== "" && path.startsWith(`${scm.mount}/`));
    if (owner === undefined) return;
    report(
      "warning",
      `servers[${engine.index}].bdev_list[${at}]`,
      `${path} lies in the memory storage ${owner.scm.mount} of servers[${owner.index}], and is erased with it`,
      "a file in another file system",
    );
  });
}

/** The ports after the last one do not exist. */
function lastPorts({ index, fabricIfacePort: port }: EngineConfig, report: Report): void {
  if (port + PORTS_OF_ENGINE - 1 <= MAX_PORT) return;
  report(
    "warning",
    `servers[${index}].fabric_iface_port`,
    `${port} has no three ports after it, which an engine may take too`,
    `${MAX_PORT - PORTS_OF_ENGINE + 1} or less`,
  );
}

/** Cores that no section names are a warning only: files for release 0.8.0 leave `first_core` out. */
function sharedCores(a: EngineConfig, b: EngineConfig, report: Report, given: boolean): void {
  if (a.targets === 0 || b.targets === 0) return;
  const last = (engine: EngineConfig) => engine.firstCore + engine.targets - 1;
  if (b.firstCore > last(a) || a.firstCore > last(b)) return;
  // Pinned engines count their cores within their own NUMA node.
  if (
    a.pinnedNumaNode !== undefined &&
    b.pinnedNumaNode !== undefined &&
    a.pinnedNumaNode !== b.pinnedNumaNode
  )
    return;
  report(
    given ? "error" : "warning",
    `servers[${b.index}].first_core`,
    `cores ${b.firstCore} to ${last(b)} overlap with ${a.firstCore} to ${last(a)} of servers[${a.index}]`,
    `first_core ${last(a) + 1}, or fewer targets`,
  );
}

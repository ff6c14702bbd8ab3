import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type ControlClient,
  type EngineUsage,
  type HostResult,
  type NvmeController,
  type NvmeHealth,
  networkScan,
  type ServerInfo,
  type StorageScan,
  serverQuery,
  storageScan,
  storageUsage,
} from "@daos/control-client";
import type { Fault } from "@daos/fault";
import type { ctl, web } from "@daos/proto";
import { faultDetail } from "@daos/rpc";

type Part<T> = { readonly value: T | undefined; readonly fault: Fault | undefined };

/** Asks one host for its hardware and engines. A part that fails does not hide the others. */
export async function queryHost(
  host: ControlClient,
): Promise<MessageInitShape<typeof web.QueryHostRespSchema>> {
  const [server, usage, scan, fabric] = await Promise.all([
    only(serverQuery(host, { config: false })),
    only(storageUsage(host)),
    only(storageScan(host)),
    only(networkScan(host, { provider: "" })),
  ]);
  return {
    server: server.value === undefined ? undefined : serverMessage(server.value),
    serverFault: detail(server.fault),
    engines: (usage.value ?? []).map(engineMessage),
    enginesFault: detail(usage.fault),
    controllers: scan.value?.nvme.controllers.map(controllerMessage) ?? [],
    namespaces: scan.value?.scm.namespaces.map(namespaceMessage) ?? [],
    storageFaults: [scan.fault, scan.value?.scm.fault, scan.value?.nvme.fault].flatMap((fault) =>
      fault === undefined ? [] : faultDetail(fault),
    ),
    interfaces: (fabric.value ?? []).map(({ device, provider, numaNode }) => ({
      device,
      provider,
      numaNode,
    })),
    interfacesFault: detail(fabric.fault),
  };
}

/** The configuration in force on one host. @throws Fault of the host */
export async function queryConfig(
  host: ControlClient,
): Promise<MessageInitShape<typeof web.QueryConfigRespSchema>> {
  const { value, fault } = await only(serverQuery(host, { config: true }));
  if (value === undefined) throw fault ?? new Error("no host was asked");
  return {
    file: value.configFile,
    keys: value.config.map(({ default: defaultValue, ...key }) => ({ ...key, defaultValue })),
  };
}

/** The result of the only host that was asked. */
async function only<T>(results: AsyncIterable<HostResult<T>>): Promise<Part<T>> {
  for await (const { outcome } of results) {
    if (outcome.kind === "ok") return { value: outcome.value, fault: undefined };
    return { value: undefined, fault: outcome.fault };
  }
  return { value: undefined, fault: undefined };
}

function detail(fault: Fault | undefined) {
  return fault === undefined ? undefined : faultDetail(fault);
}

function serverMessage({
  version,
  pid,
  startedAt,
  engines,
}: ServerInfo): MessageInitShape<typeof ctl.ServerQueryRespSchema> {
  return {
    version,
    pid,
    started: BigInt(startedAt),
    engines: engines.map(({ rank, pid: enginePid, startedAt: engineStartedAt, ...engine }) => ({
      ...engine,
      rank: rank ?? undefined,
      pid: enginePid ?? 0,
      started: BigInt(engineStartedAt ?? 0),
    })),
  };
}

function engineMessage(engine: EngineUsage): MessageInitShape<typeof web.EngineStorageSchema> {
  const { index, rank, mount, scm, nvme } = engine;
  return {
    index,
    rank,
    mount,
    scmTotal: scm.kind === "known" ? scm.totalBytes : 0n,
    scmAvailable: scm.kind === "known" ? scm.availableBytes : 0n,
    scmFault: scm.kind === "known" ? undefined : faultDetail(scm.fault),
    nvmeTotal: nvme.kind === "known" ? nvme.totalBytes : 0n,
    nvmeFault: nvme.kind === "known" ? undefined : faultDetail(nvme.fault),
  };
}

/** A namespace as the page gets it. */
export function namespaceMessage({
  blockDevice,
  numaNode,
  sizeBytes,
  engine,
}: StorageScan["scm"]["namespaces"][number]) {
  return { blockDevice, numaNode, size: BigInt(sizeBytes), engine };
}

const KELVIN = 273.15;

/** A controller as the page gets it, with its health in words. */
export function controllerMessage(
  controller: NvmeController,
): MessageInitShape<typeof web.NvmeControllerSchema> {
  const { namespaces, health, trend } = controller;
  const engines = new Set(namespaces.flatMap(({ engine }) => engine ?? []));
  return {
    address: controller.pciAddress,
    model: controller.model,
    serial: controller.serial,
    firmware: controller.firmware,
    socket: controller.socket,
    size: BigInt(namespaces.reduce((sum, { sizeGB }) => sum + sizeGB, 0)) * 1_000_000_000n,
    driver: controller.driver ?? "",
    engines: [...engines],
    celsius: health === undefined ? undefined : Math.round((health.temperatureK - KELVIN) * 10) / 10,
    percentUsed: health?.percentUsed,
    mediaErrors: BigInt(health?.mediaErrors ?? 0),
    warnings: health === undefined ? [] : healthWarnings(health),
    daysLeft: trend?.daysLeft,
  };
}

function healthWarnings(health: NvmeHealth): string[] {
  const warnings: readonly (readonly [boolean, string])[] = [
    [health.temperatureWarning, "temperature"],
    [health.availableSpareWarning, "spare capacity is low"],
    [health.reliabilityWarning, "reliability is degraded"],
    [health.readOnlyWarning, "read-only"],
    [health.volatileMemoryWarning, "backup of volatile memory failed"],
  ];
  return warnings.filter(([on]) => on).map(([, text]) => text);
}

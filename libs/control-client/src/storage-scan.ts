import type { Fault } from "@daos/fault";
import { ctl } from "@daos/proto";
import type { ControlClient, HostResult } from "./control-client.ts";
import { stateFault } from "./status.ts";

/** One persistent memory module. */
export interface ScmModule {
  readonly physicalId: number;
  readonly capacityBytes: number;
  readonly socket: number;
  readonly memoryController: number;
  readonly channel: number;
  readonly slot: number;
}

/** One AppDirect namespace, a block device of persistent memory. */
export interface ScmNamespace {
  readonly uuid: string;
  /** `pmem0`. */
  readonly blockDevice: string;
  /** `namespace0.0`. */
  readonly device: string;
  readonly numaNode: number;
  readonly sizeBytes: number;
  /** `fsdax`, the only one that an engine can use; undefined for a server of release 0.8.0. */
  readonly mode: string | undefined;
  /** The index of the engine that uses it by configuration, if any. */
  readonly engine: number | undefined;
}

/** One NVMe controller with its health counters. */
export interface NvmeController {
  readonly pciAddress: string;
  readonly model: string;
  readonly serial: string;
  readonly firmware: string;
  readonly socket: number;
  readonly namespaces: readonly {
    readonly id: number;
    readonly sizeGB: number;
    /** Undefined for a server of release 0.8.0, which has whole GB only. */
    readonly sizeBytes: number | undefined;
    /** The index of the engine that uses it by configuration, if any. */
    readonly engine: number | undefined;
  }[];
  /** The index of the engine that uses it by configuration, if any; undefined for a server of release 0.8.0. */
  readonly engine: number | undefined;
  /** The source of the health data; `unknown` for a server of release 0.8.0. */
  readonly source: "unknown" | "kernel" | "spdk" | "last-known" | "pci";
  /** Its current driver; undefined for none, or when the server does not report it. */
  readonly driver: string | undefined;
  /** Undefined until the server has observed it for a while. */
  readonly trend: NvmeTrend | undefined;
  /**
   * Absent when the controller could not be queried. Times are as the device counts them. The temperature is in kelvin.
   */
  readonly health: NvmeHealth | undefined;
}

/** The change of a controller's health since the server first saw it. */
export interface NvmeTrend {
  readonly samples: number;
  readonly days: number;
  readonly mediaErrorsPerDay: number;
  readonly errorLogEntriesPerDay: number;
  /** Until its rated life is used up; undefined when there was no wear. */
  readonly daysLeft: number | undefined;
  readonly highestTemperatureK: number;
}

/** The counters and warnings of one controller's NVMe health log page. */
export interface NvmeHealth {
  readonly temperatureK: number;
  readonly temperatureWarningMinutes: number;
  readonly temperatureCriticalMinutes: number;
  readonly controllerBusyMinutes: number;
  readonly powerCycles: number;
  readonly powerOnHours: number;
  readonly unsafeShutdowns: number;
  readonly mediaErrors: number;
  readonly errorLogEntries: number;
  readonly temperatureWarning: boolean;
  readonly availableSpareWarning: boolean;
  readonly reliabilityWarning: boolean;
  readonly readOnlyWarning: boolean;
  readonly volatileMemoryWarning: boolean;
  /** Percent of the rated life; may exceed 100. */
  readonly percentUsed: number;
}

/** The storage of one host. A part that could not be scanned has a fault. */
export interface StorageScan {
  readonly scm: {
    readonly modules: readonly ScmModule[];
    readonly namespaces: readonly ScmNamespace[];
    readonly fault: Fault | undefined;
  };
  readonly nvme: { readonly controllers: readonly NvmeController[]; readonly fault: Fault | undefined };
}

/** Lists the storage hardware of every host. */
export function storageScan(client: ControlClient): AsyncGenerator<HostResult<StorageScan>> {
  return client.eachHost({
    attempted: "scan storage",
    timeoutMs: 60_000,
    call: async ({ ctl }, options) => readScan(await ctl.storageScan({ nvme: {}, scm: {} }, options)),
  });
}

function readScan({ scm, nvme }: ctl.StorageScanResp): StorageScan {
  return {
    scm: {
      modules: (scm?.modules ?? []).map(({ physicalid, capacity, loc }) => ({
        physicalId: physicalid,
        capacityBytes: Number(capacity),
        socket: loc?.socket ?? 0,
        memoryController: loc?.memctrlr ?? 0,
        channel: loc?.channel ?? 0,
        slot: loc?.channelpos ?? 0,
      })),
      namespaces: (scm?.pmems ?? []).map(readNamespace),
      fault: stateFault("scm", "scan SCM", scm?.state),
    },
    nvme: {
      controllers: (nvme?.ctrlrs ?? []).map(readController),
      fault: stateFault("bdev", "scan NVMe", nvme?.state),
    },
  };
}

/** Reads a namespace from a message. */
export function readNamespace(message: ctl.PmemDevice): ScmNamespace {
  const { uuid, blockdev, dev, numanode, size, engine, mode } = message;
  return {
    uuid,
    blockDevice: blockdev,
    device: dev,
    numaNode: numanode,
    sizeBytes: Number(size),
    mode: mode === "" ? undefined : mode,
    engine,
  };
}

function readController(message: ctl.NvmeController): NvmeController {
  const { pciaddr, model, serial, fwrev, socketid, namespaces, healthstats, nohealth, trend } = message;
  return {
    pciAddress: pciaddr,
    model,
    serial,
    firmware: fwrev,
    socket: socketid,
    namespaces: namespaces.map(({ id, size, bytes, engine }) => ({
      id,
      sizeGB: size,
      sizeBytes: bytes === 0n ? undefined : Number(bytes),
      engine,
    })),
    engine: message.engine,
    source: SOURCES[message.source] ?? "unknown",
    driver: message.driver === "" ? undefined : message.driver,
    health: healthstats === undefined || nohealth ? undefined : readHealth(healthstats),
    trend: trend === undefined ? undefined : readTrend(trend),
  };
}

const SOURCES: Readonly<Record<number, NvmeController["source"]>> = {
  [ctl.NvmeController_Source.KERNEL]: "kernel",
  [ctl.NvmeController_Source.SPDK]: "spdk",
  [ctl.NvmeController_Source.LAST_KNOWN]: "last-known",
  [ctl.NvmeController_Source.PCI]: "pci",
};

function readTrend(message: ctl.NvmeController_Trend): NvmeTrend {
  const { samples, days, mediaErrorsPerDay, errorLogEntriesPerDay, daysLeft, highestTemp } = message;
  return {
    samples,
    days,
    mediaErrorsPerDay,
    errorLogEntriesPerDay,
    daysLeft,
    highestTemperatureK: highestTemp,
  };
}

function readHealth(stats: ctl.NvmeController_Health): NvmeHealth {
  return {
    temperatureK: stats.temp,
    temperatureWarningMinutes: stats.tempwarntime,
    temperatureCriticalMinutes: stats.tempcrittime,
    controllerBusyMinutes: Number(stats.ctrlbusytime),
    powerCycles: Number(stats.powercycles),
    powerOnHours: Number(stats.poweronhours),
    unsafeShutdowns: Number(stats.unsafeshutdowns),
    mediaErrors: Number(stats.mediaerrors),
    errorLogEntries: Number(stats.errorlogentries),
    temperatureWarning: stats.tempwarn,
    availableSpareWarning: stats.availsparewarn,
    reliabilityWarning: stats.reliabilitywarn,
    readOnlyWarning: stats.readonlywarn,
    volatileMemoryWarning: stats.volatilewarn,
    percentUsed: stats.percentused,
  };
}

import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  allocateNamespaces,
  engineOf,
  type HealthTrend,
  healthTrend,
  type NvmeController,
  type NvmeSource,
  UNKNOWN_HEALTH,
} from "@daos/bdev";
import { type EngineConfig, namesNamespace } from "@daos/config";
import { toFault } from "@daos/fault";
import { ctl } from "@daos/proto";
import type { ScmScan } from "@daos/scm";
import type { CtlServiceOptions } from "./ctl-service-options.ts";
import { stateFault, stateSuccess } from "./response-state.ts";

/**
 * Scans SCM and NVMe side by side. Each part has its own outcome: one that fails does not hide the other.
 *
 * @see DAOS 0.8.0 src/control/server/ctl_storage_rpc.go StorageScan
 */
export async function storageScan(
  { scm, bdev, history, harness }: Pick<CtlServiceOptions, "scm" | "bdev" | "history" | "harness">,
  options: { readonly signal: AbortSignal },
): Promise<MessageInitShape<typeof ctl.StorageScanRespSchema>> {
  const engines = harness.instances.map(({ config }) => config);
  const [scmPart, nvmePart] = await Promise.all([
    scm.scan(options).then(
      (found) => scmToProto(found, engines),
      (error: unknown) => ({ state: stateFault(toFault(error)) }),
    ),
    bdev.scan(options).then(
      async (found) => ({
        ctrlrs: await Promise.all(
          found.map(async (controller) => {
            const samples = (await history?.read(controller.serial).catch(() => [])) ?? [];
            return nvmeToProto(controller, engines, healthTrend(samples));
          }),
        ),
        state: stateSuccess(),
      }),
      (error: unknown) => ({ state: stateFault(toFault(error)) }),
    ),
  ]);
  return { scm: scmPart, nvme: nvmePart };
}

type Engines = readonly EngineConfig[];

function scmToProto(scan: ScmScan, engines: Engines): MessageInitShape<typeof ctl.ScanScmRespSchema> {
  return {
    modules: scan.modules.map((module) => ({
      physicalid: module.physicalId,
      capacity: module.capacity,
      loc: {
        channel: module.channel,
        channelpos: module.channelPosition,
        memctrlr: module.memoryController,
        socket: module.socket,
      },
    })),
    pmems: scan.namespaces.map((namespace) => {
      const owner = engines.find(
        ({ scm }) =>
          scm.class === "dcpm" &&
          namesNamespace(scm.device, { device: `/dev/${namespace.blockdev}`, uuid: namespace.uuid }),
      );
      return { ...pmemToProto(namespace), ...engineField(owner?.index) };
    }),
    state: stateSuccess(scan.notes.join("; ")),
  };
}

/** Converts a namespace to its message. */
export function pmemToProto(
  namespace: ScmScan["namespaces"][number],
): MessageInitShape<typeof ctl.PmemDeviceSchema> {
  const { uuid, blockdev, dev, numaNode: numanode, size, mode = "" } = namespace;
  return { uuid, blockdev, dev, numanode, size, mode };
}

/** Bytes in the GB that the wire counts namespaces in. */
const GB = 1_000_000_000n;

/** The field with an engine's number, absent without an engine: 0 is a number too. */
function engineField(engine: number | undefined): { readonly engine?: number } {
  return engine === undefined ? {} : { engine };
}

const SOURCE: Readonly<Record<NvmeSource, ctl.NvmeController_Source>> = {
  kernel: ctl.NvmeController_Source.KERNEL,
  spdk: ctl.NvmeController_Source.SPDK,
  "last-known": ctl.NvmeController_Source.LAST_KNOWN,
  pci: ctl.NvmeController_Source.PCI,
};

function trendToProto(trend: HealthTrend): MessageInitShape<typeof ctl.NvmeController_TrendSchema> {
  const { samples, days, mediaErrorsPerDay, errorLogEntriesPerDay, daysLeft, highestTemperature } = trend;
  return {
    samples,
    days,
    mediaErrorsPerDay,
    errorLogEntriesPerDay,
    ...(daysLeft === undefined ? {} : { daysLeft }),
    // Samples on disk may be older than the check of this value.
    highestTemp: uint32(highestTemperature),
  };
}

const MAX_INT32 = 0x7fff_ffff;
const MAX_UINT32 = 0xffff_ffff;
const MAX_UINT64 = 0xffff_ffff_ffff_ffffn;

/**
 * A number that fits the wire's type; 0 for an impossible value, so that one device does not break the whole answer.
 */
function uint32(value: number): number {
  return Number.isInteger(value) && value >= 0 && value <= MAX_UINT32 ? value : 0;
}

function int32(value: number): number {
  return uint32(value) <= MAX_INT32 ? uint32(value) : 0;
}

function uint64(value: bigint): bigint {
  return value >= 0n && value <= MAX_UINT64 ? value : 0n;
}

function nvmeToProto(
  controller: NvmeController,
  engines: Engines,
  trend: HealthTrend | undefined,
): MessageInitShape<typeof ctl.NvmeControllerSchema> {
  const { pciAddress: pciaddr, model, serial, firmware: fwrev, numaNode: socketid } = controller;
  const health = controller.health ?? UNKNOWN_HEALTH;
  return {
    model,
    serial,
    pciaddr,
    fwrev,
    socketid: Number.isInteger(socketid) && Math.abs(socketid) < 2 ** 31 ? socketid : 0,
    namespaces: allocateNamespaces([controller], engines).map(({ namespaceId, size, engine }) => ({
      id: int32(namespaceId),
      size: Number(uint64(size) / GB),
      ctrlrpciaddr: pciaddr,
      bytes: uint64(size),
      ...engineField(engine),
    })),
    ...engineField(engineOf(controller, engines)),
    source: SOURCE[controller.source],
    driver: controller.driver ?? "",
    nohealth: controller.health === undefined,
    ...(trend === undefined ? {} : { trend: trendToProto(trend) }),
    // Always there: the dmg of release 0.8.0 crashes without it.
    healthstats: {
      temp: uint32(health.temperature),
      tempwarntime: uint32(health.temperatureWarningTime),
      tempcrittime: uint32(health.temperatureCriticalTime),
      ctrlbusytime: uint64(health.controllerBusyTime),
      powercycles: uint64(health.powerCycles),
      poweronhours: uint64(health.powerOnHours),
      unsafeshutdowns: uint64(health.unsafeShutdowns),
      mediaerrors: uint64(health.mediaErrors),
      errorlogentries: uint64(health.errorLogEntries),
      tempwarn: health.temperatureWarning,
      availsparewarn: health.spareWarning,
      reliabilitywarn: health.reliabilityWarning,
      readonlywarn: health.readOnlyWarning,
      volatilewarn: health.volatileWarning,
      percentused: uint32(health.percentUsed),
      ctrlrpciaddr: pciaddr,
    },
  };
}

import type { MessageInitShape } from "@bufbuild/protobuf";
import { type NvmeController, UNKNOWN_HEALTH } from "@daos/bdev";
import { toFault } from "@daos/fault";
import type { ctl } from "@daos/proto";
import type { ScmScan } from "@daos/scm";
import type { CtlServiceOptions } from "./ctl-service-options.ts";
import { stateFault, stateSuccess } from "./response-state.ts";

/**
 * Scans SCM and NVMe side by side. Each part has its own outcome: one that fails does not hide the other.
 *
 * @see DAOS 0.8.0 src/control/server/ctl_storage_rpc.go StorageScan
 */
export async function storageScan(
  { scm, bdev }: Pick<CtlServiceOptions, "scm" | "bdev">,
  options: { readonly signal: AbortSignal },
): Promise<MessageInitShape<typeof ctl.StorageScanRespSchema>> {
  const [scmPart, nvmePart] = await Promise.all([
    scm.scan(options).then(scmToProto, (error: unknown) => ({ state: stateFault(toFault(error)) })),
    bdev.scan(options).then(
      (found) => ({ ctrlrs: found.map(nvmeToProto), state: stateSuccess() }),
      (error: unknown) => ({ state: stateFault(toFault(error)) }),
    ),
  ]);
  return { scm: scmPart, nvme: nvmePart };
}

function scmToProto(scan: ScmScan): MessageInitShape<typeof ctl.ScanScmRespSchema> {
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
    pmems: scan.namespaces.map(pmemToProto),
    state: stateSuccess(scan.notes.join("; ")),
  };
}

/** One namespace as the wire has it. */
export function pmemToProto(
  namespace: ScmScan["namespaces"][number],
): MessageInitShape<typeof ctl.PmemDeviceSchema> {
  const { uuid, blockdev, dev, numaNode: numanode, size } = namespace;
  return { uuid, blockdev, dev, numanode, size };
}

/** Bytes in the GB that the wire counts namespaces in. */
const GB = 1_000_000_000n;

function nvmeToProto(controller: NvmeController): MessageInitShape<typeof ctl.NvmeControllerSchema> {
  const { pciAddress: pciaddr, model, serial, firmware: fwrev, numaNode: socketid } = controller;
  const health = controller.health ?? UNKNOWN_HEALTH;
  return {
    model,
    serial,
    pciaddr,
    fwrev,
    socketid,
    namespaces: controller.namespaces.map(({ id, size }) => ({
      id,
      size: Number(size / GB),
      ctrlrpciaddr: pciaddr,
    })),
    // Always there: the dmg of release 0.8.0 crashes without it.
    healthstats: {
      temp: health.temperature,
      tempwarntime: health.temperatureWarningTime,
      tempcrittime: health.temperatureCriticalTime,
      ctrlbusytime: health.controllerBusyTime,
      powercycles: health.powerCycles,
      poweronhours: health.powerOnHours,
      unsafeshutdowns: health.unsafeShutdowns,
      mediaerrors: health.mediaErrors,
      errorlogentries: health.errorLogEntries,
      tempwarn: health.temperatureWarning,
      availsparewarn: health.spareWarning,
      reliabilitywarn: health.reliabilityWarning,
      readonlywarn: health.readOnlyWarning,
      volatilewarn: health.volatileWarning,
      ctrlrpciaddr: pciaddr,
    },
  };
}

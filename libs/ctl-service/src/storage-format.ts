import type { MessageInitShape } from "@bufbuild/protobuf";
import type { EngineConfig } from "@daos/config";
import type { EngineFormatOptions, InstanceFormatResult } from "@daos/instance";
import type { ctl } from "@daos/proto";
import type { CtlServiceOptions } from "./ctl-service-options.ts";
import { stateFault, stateSuccess } from "./response-state.ts";

/**
 * Formats the storage of every engine of this host at once, and answers when all is done: one result for each mount
 * point and each controller. A failed one does not stop the others.
 *
 * @throws Fault notAuthorized when an engine has devices that callers may not change: nothing is formatted then
 *
 * @see DAOS 0.8.0 src/control/server/ctl_storage_rpc.go StorageFormat
 */
export async function storageFormat(
  { harness, refuseDevices, log }: Pick<CtlServiceOptions, "harness" | "refuseDevices" | "log">,
  options: EngineFormatOptions,
): Promise<MessageInitShape<typeof ctl.StorageFormatRespSchema>> {
  const device = harness.instances.flatMap(({ config }) => devicesOf(config))[0];
  if (device !== undefined && refuseDevices !== undefined) throw refuseDevices(`format ${device}`);
  log.info("storage format", { reformat: options.reformat });
  const results = await harness.format(options);
  return { mrets: results.map(mountToProto), crets: results.flatMap(controllersToProto) };
}

/** The devices that a format would erase. Memory and files are not among them: the format makes them. */
function devicesOf({ scm, bdev }: Pick<EngineConfig, "scm" | "bdev">): readonly string[] {
  const pmem = scm.class === "dcpm" ? [scm.device] : [];
  return bdev.class === "nvme" || bdev.class === "kdev" ? [...pmem, ...bdev.list] : pmem;
}

function mountToProto(result: InstanceFormatResult): MessageInitShape<typeof ctl.ScmMountResultSchema> {
  const { mount, scmFault } = result;
  return { mntpoint: mount, state: scmFault === undefined ? stateSuccess() : stateFault(scmFault) };
}

function controllersToProto(
  result: InstanceFormatResult,
): readonly MessageInitShape<typeof ctl.NvmeControllerResultSchema>[] {
  return result.bdevs.map(({ device, fault }) => ({
    pciaddr: device,
    state: fault === undefined ? stateSuccess() : stateFault(fault),
  }));
}

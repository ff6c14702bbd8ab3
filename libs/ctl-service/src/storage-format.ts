import type { MessageInitShape } from "@bufbuild/protobuf";
import type { EngineFormatOptions, InstanceFormatResult } from "@daos/instance";
import type { ctl } from "@daos/proto";
import type { CtlServiceOptions } from "./ctl-service-options.ts";
import { stateFault, stateSuccess } from "./response-state.ts";

/**
 * Formats the storage of every engine of this host at once, and answers when all is done: one result for each mount
 * point and each controller. A failed one does not stop the others.
 *
 * @see DAOS 0.8.0 src/control/server/ctl_storage_rpc.go StorageFormat
 */
export async function storageFormat(
  { harness, log }: Pick<CtlServiceOptions, "harness" | "log">,
  options: EngineFormatOptions,
): Promise<MessageInitShape<typeof ctl.StorageFormatRespSchema>> {
  log.info("storage format", { reformat: options.reformat });
  const results = await harness.format(options);
  return { mrets: results.map(mountToProto), crets: results.flatMap(controllersToProto) };
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

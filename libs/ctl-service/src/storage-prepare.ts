import type { MessageInitShape } from "@bufbuild/protobuf";
import type { BdevPrepareResult } from "@daos/bdev";
import { toFault } from "@daos/fault";
import type { ctl } from "@daos/proto";
import type { ScmPrepareResult } from "@daos/scm";
import type { CtlServiceOptions } from "./ctl-service-options.ts";
import { stateFault, stateSuccess } from "./response-state.ts";
import { pmemToProto } from "./storage-scan.ts";

type PrepareRequest = Pick<ctl.StoragePrepareReq, "nvme" | "scm">;

/**
 * Prepares or resets NVMe, then SCM: the parts that the request has. Each has its own outcome: one that fails does not
 * keep the other from being done.
 *
 * @throws Fault notAuthorized when callers may not change devices
 *
 * @see DAOS 0.8.0 src/control/server/ctl_storage_rpc.go StoragePrepare
 */
export async function storagePrepare(
  {
    scm,
    bdev,
    controllers,
    hugepages: configured,
    findUser,
    refuseDevices,
  }: Pick<CtlServiceOptions, "scm" | "bdev" | "controllers" | "hugepages" | "findUser" | "refuseDevices">,
  request: PrepareRequest,
  options: { readonly signal: AbortSignal },
): Promise<MessageInitShape<typeof ctl.StoragePrepareRespSchema>> {
  if (refuseDevices !== undefined) throw refuseDevices("prepare or reset storage devices");
  const nvme = async ({ reset, pciwhitelist, nrhugepages, targetuser }: ctl.PrepareNvmeReq) => {
    try {
      const whitelist = pciwhitelist === "" ? undefined : pciwhitelist;
      if (reset) return { state: nvmeState(await bdev.reset({ ...options, ...controllers, whitelist })) };
      const owner = targetuser === "" ? undefined : await findUser(targetuser);
      const hugepages = nrhugepages === 0 ? configured : nrhugepages;
      return {
        state: nvmeState(await bdev.prepare({ ...options, ...controllers, whitelist, hugepages, owner })),
      };
    } catch (error) {
      return { state: stateFault(toFault(error)) };
    }
  };
  const pmem = async ({ reset }: ctl.PrepareScmReq) => {
    try {
      return scmToProto(await (reset ? scm.reset(options) : scm.prepare(options)));
    } catch (error) {
      return { state: stateFault(toFault(error)) };
    }
  };
  return {
    nvme: request.nvme === undefined ? undefined : await nvme(request.nvme),
    scm: request.scm === undefined ? undefined : await pmem(request.scm),
  };
}

/** The first failed controller, or else a summary of all. */
function nvmeState({ controllers }: BdevPrepareResult) {
  const failed = controllers.find((outcome) => outcome.kind === "failed");
  if (failed !== undefined) return stateFault(failed.fault);
  const texts = controllers.map((outcome) =>
    outcome.kind === "bound"
      ? `${outcome.pciAddress} is bound to ${outcome.driver}${outcome.contents === undefined ? "" : ` (${outcome.contents})`}`
      : `${outcome.pciAddress} is left as it is${outcome.kind === "skipped" ? `: ${outcome.reason}` : ""}`,
  );
  return stateSuccess(texts.join("; "));
}

function scmToProto(result: ScmPrepareResult): MessageInitShape<typeof ctl.PrepareScmRespSchema> {
  switch (result.kind) {
    case "no-scm":
      return { state: stateSuccess(joined("there is no persistent memory", result.notes)) };
    case "reboot-needed":
      return {
        state: stateSuccess(joined("reboot this host, then run storage prepare again", result.notes)),
      };
    case "done":
      return {
        pmems: result.namespaces.map(pmemToProto),
        state: stateSuccess(result.notes?.join("; ")),
      };
    default:
      return result satisfies never;
  }
}

function joined(text: string, notes: readonly string[] = []): string {
  return [text, ...notes].join("; ");
}

import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type BdevBurnInResult,
  type BurnInVerdict,
  type DeviceProgress,
  faultBurnInFailed,
  showBurnInError,
} from "@daos/bdev";
import {
  type BurnInDecision,
  type BurnInOrder,
  isSkippedFor,
  parseBurnInOrder,
  planBurnIn,
} from "@daos/harness";
import { ctl } from "@daos/proto";
import type { CtlServiceOptions } from "./ctl-service-options.ts";
import { stateFault, stateSuccess } from "./response-state.ts";

type Result = MessageInitShape<typeof ctl.BurnInResultSchema>;

export interface BurnInRequest {
  /** PCI addresses of controllers that must be burnt in; empty for every one that can be. */
  readonly devices: readonly string[];
  /** For each; 0 for the default. */
  readonly seconds: number;
}

/**
 * Burns in controllers of this host, all at once: those that the request names, or every one that holds nothing. A
 * controller that fails does not stop the others.
 *
 * @throws Fault usage for an invalid request, notAuthorized when callers may not change devices; the signal's reason
 */
export async function storageBurnIn(
  {
    harness,
    bdev,
    controllers,
    refuseDevices,
    log,
  }: Pick<CtlServiceOptions, "harness" | "bdev" | "controllers" | "refuseDevices" | "log">,
  request: BurnInRequest,
  options: { readonly signal: AbortSignal; readonly onProgress: (progress: DeviceProgress) => void },
): Promise<MessageInitShape<typeof ctl.StorageBurnInRespSchema>> {
  if (refuseDevices !== undefined) throw refuseDevices("burn in storage devices");
  const { signal, onProgress } = options;
  const order = parseBurnInOrder(request.devices, request.seconds);
  const { named, durationMs } = order;
  const found = named === undefined ? (await bdev.scan({ signal })).map((one) => one.pciAddress) : [];
  const plan = planBurnIn(order, { found, engines: harness.instances, selection: controllers });
  const list = plan.flatMap((one) => (one.kind === "burn in" ? [one.address] : []));
  log.info("storage burn-in", { devices: list.join(" "), seconds: durationMs / 1000 });
  const ended = list.length === 0 ? [] : await bdev.burnIn(list, { durationMs, signal, onProgress });
  const results = [...plan.flatMap(decisionToProto), ...ended.map((result) => resultToProto(result, order))];
  return { results: results.toSorted((a, b) => (a.pciaddr ?? "").localeCompare(b.pciaddr ?? "", "en")) };
}

/** Nothing yet for a controller that is burnt in. */
function decisionToProto(decision: BurnInDecision): readonly Result[] {
  switch (decision.kind) {
    case "burn in":
      return [];
    case "skip":
      return [skipped(decision.address, decision.reason)];
    case "refuse":
      return [{ pciaddr: decision.address, state: stateFault(decision.fault) }];
    default:
      return decision satisfies never;
  }
}

function resultToProto(result: BdevBurnInResult, order: BurnInOrder): Result {
  const { device: pciaddr } = result;
  if ("verdict" in result) return verdictToProto(pciaddr, result.verdict);
  const { fault } = result;
  if (isSkippedFor(fault, order)) return skipped(pciaddr, fault.description);
  return { pciaddr, state: stateFault(fault) };
}

function verdictToProto(pciaddr: string, verdict: BurnInVerdict): Result {
  const verdicts = {
    passed: ctl.BurnInVerdict.BURN_IN_PASSED,
    failed: ctl.BurnInVerdict.BURN_IN_FAILED,
    aborted: ctl.BurnInVerdict.BURN_IN_ABORTED,
  };
  return {
    pciaddr,
    verdict: verdicts[verdict.kind],
    state: verdict.kind === "failed" ? stateFault(faultBurnInFailed(pciaddr, verdict)) : stateSuccess(),
    bytesWritten: verdict.bytesWritten,
    bytesVerified: verdict.bytesVerified,
    elapsedMs: BigInt(Math.round(verdict.elapsedMs)),
    errors: verdict.errors.map(showBurnInError),
    findings: [...verdict.findings],
  };
}

function skipped(pciaddr: string, reason: string): Result {
  return { pciaddr, verdict: ctl.BurnInVerdict.BURN_IN_SKIPPED, state: stateSuccess(), reason };
}

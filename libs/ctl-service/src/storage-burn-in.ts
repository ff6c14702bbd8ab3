import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type BdevBurnInResult,
  type BurnInVerdict,
  DEFAULT_BURN_IN_MS,
  type DeviceProgress,
  faultBurnInFailed,
  faultInUse,
  MAX_BURN_IN_MS,
  parsePciAddress,
  showBurnInError,
  whyNotSelected,
} from "@daos/bdev";
import { Fault, FaultCode } from "@daos/fault";
import type { EngineInstance } from "@daos/instance";
import { ctl } from "@daos/proto";
import type { CtlServiceOptions } from "./ctl-service-options.ts";
import { stateFault, stateSuccess } from "./response-state.ts";

type Result = MessageInitShape<typeof ctl.BurnInResultSchema>;

export interface BurnInRequest {
  /** Controllers by name, each of which has to be burnt in; none for every one that can be. */
  readonly devices: readonly string[];
  /** For each; 0 for the default. */
  readonly seconds: number;
}

/** Why a controller that was not asked for by name is left out, rather than counted as failed. */
const LEFT_OUT: ReadonlySet<number> = new Set([
  FaultCode.bdevInUse,
  FaultCode.bdevBurnInFailed,
  // The helper's policy leaves it to others.
  FaultCode.helperRefused,
]);

/**
 * Burns in controllers of this host, all at once: those that the request names, or every one that holds nothing. None that
 * serves an engine whose storage is formatted is touched. A controller that fails does not stop the others.
 *
 * @throws Fault usage for a request that cannot be meant, notAuthorized when callers may not change devices; the signal's reason
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
  const durationMs = request.seconds === 0 ? DEFAULT_BURN_IN_MS : request.seconds * 1000;
  if (durationMs > MAX_BURN_IN_MS) throw faultTooLong(request.seconds);
  const named = request.devices.map(requireAddress);
  const all = named.length > 0;
  const wanted = all ? [...new Set(named)] : (await bdev.scan({ signal })).map((one) => one.pciAddress);
  const results: Result[] = [];
  const list: string[] = [];
  for (const address of wanted) {
    const owner = harness.instances.find((instance) => isOf(instance, address));
    const use = owner === undefined ? undefined : whyNotToBeTouched(owner);
    const reason = all ? undefined : whyNotSelected(address, controllers);
    if (use !== undefined && all) {
      const fault = faultInUse(`burn in the NVMe controller ${address}`, use);
      results.push({ pciaddr: address, state: stateFault(fault) });
    } else if (use !== undefined || reason !== undefined) {
      results.push(skipped(address, use ?? reason ?? ""));
    } else list.push(address);
  }
  log.info("storage burn-in", { devices: list.join(" "), seconds: durationMs / 1000 });
  const ended = list.length === 0 ? [] : await bdev.burnIn(list, { durationMs, signal, onProgress });
  results.push(...ended.map((result) => resultToProto(result, all)));
  return { results: results.toSorted((a, b) => (a.pciaddr ?? "").localeCompare(b.pciaddr ?? "", "en")) };
}

function isOf({ config }: EngineInstance, address: string): boolean {
  const { bdev } = config;
  return bdev.class === "nvme" && bdev.list.some((entry) => (parsePciAddress(entry) ?? entry) === address);
}

/** Only while an engine waits for a format is there nothing of its on its controllers. */
function whyNotToBeTouched({ index, state, superblock }: EngineInstance): string | undefined {
  const isBlank = state.kind === "awaiting format" || (state.kind === "failed" && superblock === undefined);
  return isBlank ? undefined : `it serves engine ${index}, which is ${state.kind}`;
}

function resultToProto(result: BdevBurnInResult, named: boolean): Result {
  const { device: pciaddr } = result;
  if ("verdict" in result) return verdictToProto(pciaddr, result.verdict);
  const { fault } = result;
  if (!named && LEFT_OUT.has(fault.code)) return skipped(pciaddr, fault.description);
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

function requireAddress(text: string): string {
  const address = parsePciAddress(text);
  if (address !== undefined) return address;
  throw new Fault({
    domain: "bdev",
    code: FaultCode.usage,
    description: `burn in "${text}", which is not a PCI address`,
    resolution: "give addresses as dmg storage scan --verbose shows them: 0000:81:00.0",
  });
}

function faultTooLong(seconds: number): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.usage,
    description: `burn in for ${seconds} seconds`,
    resolution: `ask for at most ${MAX_BURN_IN_MS / 60_000} minutes; what has passed can be burnt in again`,
  });
}

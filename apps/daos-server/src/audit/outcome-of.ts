import { daosStatusName } from "@daos/fault";

/** The outcome of a call in its answer: gRPC reports OK although parts of the call may have failed. */
export interface AnswerOutcome {
  /** `OK`; `FAILED` when all ranks or devices failed, `PARTIAL` when some did. */
  readonly outcome: string;
  readonly reason?: string | undefined;
  /** The number of ranks or devices that failed. */
  readonly failed: number;
}

/** The fields of an answer that determine the outcome. All messages of `proto/` use these names. */
interface Part {
  readonly status?: number;
  readonly errored?: boolean;
  readonly msg?: string;
  readonly fault?: { readonly description: string } | undefined;
  readonly state?: { readonly status: number; readonly error: string } | number;
}
interface Answer extends Part {
  readonly results?: readonly Part[];
  readonly crets?: readonly Part[];
  readonly mrets?: readonly Part[];
  readonly nvme?: Part | undefined;
  readonly scm?: Part | undefined;
  readonly missingRanks?: readonly number[];
  readonly missingHosts?: readonly string[];
  readonly event?: { readonly case?: string | undefined; readonly value?: unknown };
}

/** Reads the outcome from an answer: the status of the engine, and the faults of its ranks and devices. */
export function outcomeOf(message: object): AnswerOutcome {
  const answer = message as Answer;
  if (answer.event !== undefined) {
    return answer.event.case === "results"
      ? outcomeOf(answer.event.value as object)
      : { outcome: "OK", failed: 0 };
  }
  const { status = 0, missingRanks = [], missingHosts = [] } = answer;
  if (status !== 0) return { outcome: `DER_${daosStatusName(status)}`, failed: 0 };
  const missing = missingRanks.length + missingHosts.length;
  if (missing > 0) return { outcome: "NOT_FOUND", reason: "not members: nothing was done", failed: missing };
  const parts = [
    answer.nvme,
    answer.scm,
    ...(answer.results ?? []),
    ...(answer.crets ?? []),
    ...(answer.mrets ?? []),
  ].filter((part) => part !== undefined);
  const reasons = parts.flatMap((part) => reasonOf(part) ?? []);
  return {
    outcome: outcomeOfParts(reasons.length, parts.length),
    reason: reasons[0],
    failed: reasons.length,
  };
}

function outcomeOfParts(failed: number, all: number): string {
  if (failed === 0) return "OK";
  return failed === all ? "FAILED" : "PARTIAL";
}

/** Why a part failed; undefined for a part that succeeded. */
function reasonOf(part: Part): string | undefined {
  if (part.fault !== undefined) return part.fault.description;
  if (part.errored === true) return part.msg ?? "";
  return typeof part.state === "object" && part.state.status < 0 ? part.state.error : undefined;
}

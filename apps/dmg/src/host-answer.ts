import type { HostResult } from "@daos/control-client";
import type { Fault } from "@daos/fault";
import { compareAddresses, type HostAddress } from "@daos/hostlist";
import type { HostFault } from "./output/show-faults.ts";

/** The answers and failures of many hosts, sorted by host name. */
export interface HostAnswers<T> {
  readonly answers: readonly { readonly host: HostAddress; readonly value: T }[];
  readonly failures: readonly HostFault[];
}

/**
 * Waits for all hosts.
 *
 * @param partFaults the failures inside an answer, as when one of two parts could not be scanned
 * @param onResult gets each result when it arrives
 */
export async function collectHosts<T>(
  results: AsyncIterable<HostResult<T>>,
  partFaults: (value: T) => readonly Fault[] = () => [],
  onResult: (result: HostResult<T>) => void = () => {},
): Promise<HostAnswers<T>> {
  const answers: { host: HostAddress; value: T }[] = [];
  const failures: (HostFault & { readonly host: HostAddress })[] = [];
  for await (const result of results) {
    onResult(result);
    const { host, outcome } = result;
    if (outcome.kind === "ok") {
      answers.push({ host, value: outcome.value });
      failures.push(...partFaults(outcome.value).map((fault) => ({ host, fault })));
    } else {
      failures.push({ host, fault: outcome.fault });
    }
  }
  answers.sort((a, b) => compareAddresses(a.host, b.host));
  failures.sort((a, b) => compareAddresses(a.host, b.host));
  return { answers, failures };
}

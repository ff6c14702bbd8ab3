import { FaultCode } from "./codes.ts";
import { daosStatusNumber } from "./daos-status.ts";

/** What a failure says about the request, and what may be done next. */
export type RetryClass =
  /** It was not carried out. This host cannot do it; another one may. */
  | "ask-another"
  /** It was not carried out. The obstacle is temporary: the same request may succeed later. */
  | "wait"
  /** It may have been carried out. Only a request that may be carried out twice may be sent again. */
  | "maybe-done"
  /** The same request fails again, at any time and on any host. */
  | "final";

const status = (name: string) => -daosStatusNumber(name);

const CODES: Readonly<Record<Exclude<RetryClass, "final">, readonly number[]>> = {
  "ask-another": [
    FaultCode.connectionRefused,
    FaultCode.hostUnknown,
    FaultCode.hostUnreachable,
    FaultCode.notDaosServer,
    FaultCode.certificateRefused,
    FaultCode.notAccessPoint,
    FaultCode.poolServiceDown,
    FaultCode.engineNotRunning,
    // Another access point may have seen another state of the store.
    FaultCode.memberStoreReplaced,
    status("NOTLEADER"),
    status("NOTREPLICA"),
  ],
  wait: [
    FaultCode.notLeader,
    FaultCode.systemNotReady,
    FaultCode.electionUnreachable,
    FaultCode.memberStoreUnusable,
    FaultCode.connectionLimit,
    FaultCode.requestNotTaken,
    status("AGAIN"),
    status("BUSY"),
    status("SHUTDOWN"),
  ],
  "maybe-done": [
    FaultCode.leadershipLost,
    FaultCode.connectionLost,
    FaultCode.connectionFailed,
    // The proxy may have passed the request on.
    FaultCode.gatewayFailed,
    FaultCode.timedOut,
    FaultCode.cancelled,
    // Each host failed in its own way.
    FaultCode.hostsFailed,
    FaultCode.drpcConnectionLost,
    status("UNREACH"),
    status("TIMEDOUT"),
  ],
};

const classes = new Map(
  Object.entries(CODES).flatMap(([name, codes]) => codes.map((code) => [code, name as RetryClass] as const)),
);

/**
 * Whether, when and where a failed request may be sent again.
 *
 * @param fault also `{ code: -status }` for a status of the data plane
 */
export function retryClass({ code }: { readonly code: number }): RetryClass {
  return classes.get(code) ?? "final";
}

/** True when the request was certainly not carried out, and may succeed on another host or later. */
export function isNotDone(fault: { readonly code: number }): boolean {
  const found = retryClass(fault);
  return found === "ask-another" || found === "wait";
}

const UNREACHABLE: ReadonlySet<number> = new Set([
  FaultCode.timedOut,
  FaultCode.connectionRefused,
  FaultCode.connectionFailed,
  FaultCode.connectionLost,
  FaultCode.hostUnknown,
  FaultCode.hostUnreachable,
  FaultCode.notDaosServer,
]);

/** True when the host gave no answer at all. Other requests to it will fail too. */
export function isUnreachable({ code }: { readonly code: number }): boolean {
  return UNREACHABLE.has(code);
}

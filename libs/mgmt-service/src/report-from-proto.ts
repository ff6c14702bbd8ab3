import { formatHostAddress } from "@daos/hostlist";
import type { EngineReport } from "@daos/membership";
import { mgmt } from "@daos/proto";
import type { HostReport, ReportResult } from "@daos/system";
import { instanceOf } from "./join-from-proto.ts";
import { hostFrom } from "./peer-address.ts";

interface ReportFields extends Pick<mgmt.ReportEnginesReq, "addr" | "intervalMs" | "configured"> {
  readonly engines: readonly Pick<
    mgmt.ReportEnginesReq_Engine,
    "uuid" | "incarnation" | "state" | "reason" | "number"
  >[];
  readonly warnings: readonly string[];
}

const STATES: Readonly<Record<mgmt.ReportEnginesReq_State, EngineReport["state"]>> = {
  [mgmt.ReportEnginesReq_State.STARTING]: "starting",
  [mgmt.ReportEnginesReq_State.SERVING]: "serving",
  [mgmt.ReportEnginesReq_State.STOPPED]: "stopped",
  [mgmt.ReportEnginesReq_State.FAILED]: "failed",
};

/** @param peer IP address of the caller; empty if it is not known */
export function reportFromProto(message: ReportFields, peer: string): HostReport {
  const { addr, engines, intervalMs, warnings, configured } = message;
  return {
    host: hostFrom(addr, peer),
    engines: engines.map(({ uuid, incarnation, state, reason, number }) => ({
      uuid: uuid === "" ? undefined : uuid,
      instance: instanceOf(number),
      incarnation,
      state: STATES[state] ?? "starting",
      reason,
    })),
    intervalMs,
    warnings,
    configured: configured === 0 ? undefined : configured,
  };
}

/** Addresses as `host:port`; the leader is empty while there is none. */
export function reportResultToProto({ accessPoints, leader }: ReportResult) {
  return {
    accessPoints: accessPoints.map(formatHostAddress),
    leader: leader === undefined ? "" : formatHostAddress(leader),
  };
}

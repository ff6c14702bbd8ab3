import { describe, expect, it } from "vitest";
import { FaultCode } from "./codes.ts";
import { daosStatusName, listDaosStatuses } from "./daos-status.ts";
import { isNotDone, isUnreachable, type RetryClass, retryClass } from "./retry-class.ts";

/** Every code that is not listed here is final. */
const EXPECTED: Readonly<Record<string, RetryClass>> = {
  timedOut: "maybe-done",
  cancelled: "maybe-done",
  engineNotRunning: "ask-another",
  drpcConnectionLost: "maybe-done",
  notLeader: "wait",
  notAccessPoint: "ask-another",
  poolServiceDown: "ask-another",
  memberStoreUnusable: "wait",
  systemNotReady: "wait",
  memberStoreReplaced: "ask-another",
  leadershipLost: "maybe-done",
  electionUnreachable: "wait",
  connectionLimit: "wait",
  requestNotTaken: "wait",
  gatewayFailed: "maybe-done",
  connectionRefused: "ask-another",
  connectionFailed: "maybe-done",
  hostsFailed: "maybe-done",
  hostUnknown: "ask-another",
  hostUnreachable: "ask-another",
  connectionLost: "maybe-done",
  certificateRefused: "ask-another",
  notDaosServer: "ask-another",
};

const EXPECTED_STATUSES: Readonly<Record<string, RetryClass>> = {
  NOTLEADER: "ask-another",
  NOTREPLICA: "ask-another",
  AGAIN: "wait",
  BUSY: "wait",
  SHUTDOWN: "wait",
  UNREACH: "maybe-done",
  TIMEDOUT: "maybe-done",
};

describe("retryClass()", () => {
  it.each(Object.entries(FaultCode))("retryClass() classifies the fault code %s (%i)", (name, code) => {
    expect(retryClass({ code })).toBe(EXPECTED[name] ?? "final");
  });

  it.each(listDaosStatuses().map((status) => [daosStatusName(status), status] as const))(
    "retryClass() knows the DAOS status %s (%i)",
    (name, status) => {
      expect(retryClass({ code: -status })).toBe(EXPECTED_STATUSES[name] ?? "final");
    },
  );

  it("is tested with codes that exist", () => {
    expect(Object.keys(EXPECTED).filter((name) => !Object.hasOwn(FaultCode, name))).toEqual([]);
  });

  it("isNotDone() is true for a request that may be sent to another host or later, and false if it may have been carried out", () => {
    expect(isNotDone({ code: FaultCode.connectionRefused })).toBe(true);
    expect(isNotDone({ code: FaultCode.systemNotReady })).toBe(true);
    expect(isNotDone({ code: FaultCode.connectionLost })).toBe(false);
    expect(isNotDone({ code: FaultCode.memberConflict })).toBe(false);
  });

  it("isUnreachable() is true for a host that gave no answer, and false for one that refused", () => {
    expect(isUnreachable({ code: FaultCode.connectionLost })).toBe(true);
    expect(isUnreachable({ code: FaultCode.notAccessPoint })).toBe(false);
    expect(isUnreachable({ code: FaultCode.certificateRefused })).toBe(false);
  });
});

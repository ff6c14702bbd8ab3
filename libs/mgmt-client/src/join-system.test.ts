import { Fault, FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { NIL_RANK } from "@daos/rank";
import { describe, expect, it } from "vitest";
import { joinSystem } from "./join-system.ts";

const request = { uuid: "u", rank: NIL_RANK, uri: "ofi+sockets://127.0.0.1", contexts: 1 };

function fault(code: number): Fault {
  return new Fault({ domain: "system", code, description: `fault ${code}`, resolution: "none" });
}

/** Answers attempts with what is given, in turn; throws when asked more often. */
function answers(...given: readonly (Fault | { readonly status: number; readonly rank: number })[]) {
  let attempts = 0;
  const attempt = async () => {
    const answer = given[attempts++];
    if (answer === undefined) throw new Error("one attempt too many");
    if (answer instanceof Fault) throw answer;
    return { ...answer, state: 0 };
  };
  const options = {
    attempt,
    leader: () => ({ host: "node1", port: 10001 }),
    log: silentLogger,
    signal: new AbortController().signal,
  };
  return { options, attempts: () => attempts };
}

describe("joinSystem", () => {
  it("tries again while the leader comes up", async () => {
    const { options, attempts } = answers(
      fault(FaultCode.connectionRefused),
      fault(FaultCode.systemNotReady),
      { status: 0, rank: 4 },
    );
    expect(await joinSystem(request, options)).toBe(4);
    expect(attempts()).toBe(3);
  });

  it("ends at once when the system refuses", async () => {
    const conflict = answers(fault(FaultCode.memberConflict));
    await expect(joinSystem(request, conflict.options)).rejects.toMatchObject({
      code: FaultCode.memberConflict,
    });
    const status = answers({ status: -1014, rank: 0 });
    await expect(joinSystem(request, status.options)).rejects.toThrow("DER_PROTO");
    expect([conflict.attempts(), status.attempts()]).toEqual([1, 1]);
  });

  it("ends when it is stopped, in the middle of a wait too", async () => {
    const { options } = answers(fault(FaultCode.systemNotReady));
    await expect(joinSystem(request, { ...options, signal: AbortSignal.timeout(20) })).rejects.toThrow();
  });
});

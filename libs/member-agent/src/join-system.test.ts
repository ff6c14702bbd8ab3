import { Fault, FaultCode } from "@daos/fault";
import { createLogger, silentLogger } from "@daos/log";
import { NIL_RANK } from "@daos/rank";
import { type Clock, systemClock } from "@daos/sys";
import { describe, expect, it } from "vitest";
import { joinSystem } from "./join-system.ts";

const request = { uuid: "u", rank: NIL_RANK, uri: "ofi+sockets://127.0.0.1", contexts: 1, recorded: false };

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
    return { ...answer, incarnation: 2 };
  };
  const options = {
    attempt,
    log: silentLogger,
    signal: new AbortController().signal,
  };
  return { options, attempts: () => attempts };
}

/** A clock whose waits are over at once. */
function quickClock(): { readonly clock: Clock; readonly passed: () => number } {
  let now = 0;
  const clock = {
    ...systemClock,
    now: () => now,
    delay: async (ms: number) => {
      now += ms;
    },
  };
  return { clock, passed: () => now };
}

describe("joinSystem", () => {
  it("tries again while the leader comes up", async () => {
    const { options, attempts } = answers(
      fault(FaultCode.connectionRefused),
      fault(FaultCode.systemNotReady),
      { status: 0, rank: 4 },
    );
    expect(await joinSystem(request, options)).toEqual({ rank: 4, incarnation: 2 });
    expect(attempts()).toBe(3);
  });

  it("waits while the data plane has no leader", async () => {
    const { options, attempts } = answers({ status: -2008, rank: 0 }, { status: 0, rank: 4 });
    expect(await joinSystem(request, options)).toMatchObject({ rank: 4 });
    expect(attempts()).toBe(2);
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

  it.each([
    "certificateExpired",
    "certificateNotYetValid",
    "certificateWrongAuthority",
    "certificateRefused",
    "securityFileMissing",
    "securityKeyMismatch",
  ] as const)("waits out %s for as long as it takes, and says so once", async (name) => {
    const { clock, passed } = quickClock();
    const { options, attempts } = answers(...Array(200).fill(fault(FaultCode[name])), { status: 0, rank: 4 });
    const lines: string[] = [];
    const log = createLogger(({ level, message }) => lines.push(`${level} ${message}`), { level: "WARN" });
    expect(await joinSystem(request, { ...options, log, clock })).toMatchObject({ rank: 4 });
    expect(attempts()).toBe(201);
    expect(passed()).toBeGreaterThan(1000_000);
    expect(lines).toEqual(["ERROR the engine waits to join until the certificates are good"]);
  });

  it("asks a leader of release 0.8.0 every 3 s, and names the way out once", async () => {
    const { clock, passed } = quickClock();
    const refusal = () =>
      new Fault({
        domain: "general",
        code: FaultCode.unknown,
        description: "join engine u",
        reason: "member 1 already exists",
        resolution: "",
      });
    const refusing = answers(...Array.from({ length: 9 }, refusal), { status: 0, rank: 1 });
    const warnings: unknown[] = [];
    const log = { ...silentLogger, warn: (_message: string, fields?: object) => void warnings.push(fields) };
    expect(await joinSystem(request, { ...refusing.options, clock, log })).toMatchObject({ rank: 1 });
    expect(passed()).toBeGreaterThanOrEqual(9 * 3_000 * 0.75);
    expect(passed()).toBeLessThanOrEqual(9 * 3_000 * 1.25);
    expect(warnings).toMatchObject([
      {
        fault: {
          reason: "member 1 already exists",
          resolution: expect.stringContaining("restart daos_server on the access point") as unknown,
        },
      },
    ]);
  });

  it.each([
    ["that reports of the engine's old host will end", FaultCode.memberElsewhere],
    ["that engines with another provider will end", FaultCode.providerMismatch],
  ])("believes for a minute %s, and no longer", async (_name, code) => {
    const { clock, passed } = quickClock();
    const moved = answers(fault(code), { status: 0, rank: 4 });
    expect(await joinSystem(request, { ...moved.options, clock })).toMatchObject({ rank: 4 });
    const copied = answers(...Array.from({ length: 99 }, () => fault(code)));
    const begun = passed();
    await expect(joinSystem(request, { ...copied.options, clock })).rejects.toMatchObject({ code });
    expect(passed() - begun).toBeGreaterThan(60_000);
    expect(passed() - begun).toBeLessThan(75_000);
  });

  it("ends when it is stopped, in the middle of a wait too", async () => {
    const { options } = answers(fault(FaultCode.systemNotReady));
    await expect(joinSystem(request, { ...options, signal: AbortSignal.timeout(20) })).rejects.toThrow();
  });
});

import type { MemberState } from "@daos/member-store";
import { describe, expect, it } from "vitest";
import { type Condition, type EngineReport, planTransition } from "./plan-transition.ts";

describe("planTransition", () => {
  const member = (state: MemberState, reason = "") => ({ state, reason, incarnation: 2 });
  const report = (state: EngineReport["state"], incarnation = 2, reason = "") => ({
    state,
    incarnation,
    reason,
  });

  it.each<[string, ReturnType<typeof member>, ReturnType<typeof report>, Condition | undefined]>([
    ["nothing new", member("joined"), report("serving"), undefined],
    [
      "back from unresponsive",
      member("unresponsive", "silent"),
      report("serving"),
      { state: "joined", reason: "" },
    ],
    [
      "a stop that did not come about",
      member("stopping"),
      report("serving"),
      { state: "joined", reason: "" },
    ],
    ["a death", member("joined"), report("failed", 2, "SIGSEGV"), { state: "errored", reason: "SIGSEGV" }],
    [
      "another reason",
      member("errored", "SIGSEGV"),
      report("failed", 2, "SIGBUS"),
      { state: "errored", reason: "SIGBUS" },
    ],
    ["a stop", member("joined"), report("stopped"), { state: "stopped", reason: "" }],
    [
      "a stop of which it is known who wanted it",
      member("stopped", "by an administrator"),
      report("stopped"),
      undefined,
    ],
    [
      "a new process",
      member("errored", "SIGSEGV"),
      report("starting", 0, "SIGSEGV"),
      { state: "joining", reason: "SIGSEGV" },
    ],
    ["a process that has joined and is set up", member("joined"), report("starting"), undefined],
    ["an earlier incarnation", member("joined"), report("failed", 1, "old"), undefined],
    [
      "a later incarnation, after the store was restored",
      member("stopped", "by an administrator"),
      report("serving", 3),
      { state: "joined", reason: "" },
    ],
    ["an excluded member that serves", member("excluded"), report("serving"), undefined],
    ["a replaced member that serves", member("replaced"), report("serving"), undefined],
  ])("of %s", (_name, before, report, expected) => {
    expect(planTransition(before, report, false)).toEqual(expected);
    expect(planTransition(before, report, true)).toBeUndefined();
  });
});

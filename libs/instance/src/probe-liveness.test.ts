import { Fault, FaultCode } from "@daos/fault";
import { type Clock, systemClock } from "@daos/sys";
import { expect, it } from "vitest";
import { probeLiveness } from "./probe-liveness.ts";

const lost = new Fault({
  domain: "drpc",
  code: FaultCode.drpcConnectionLost,
  description: "the connection was lost",
  resolution: "none",
});

it("probeLiveness() reports an unresponsive engine until it answers again; a refusal is an answer, a lost connection is not", async () => {
  let now = 0;
  const stop = new AbortController();
  const clock: Clock = {
    ...systemClock,
    now: () => now,
    delay: async (ms, { signal }) => {
      signal?.throwIfAborted();
      now += ms;
    },
    deadline: (ms, _what, parent) => {
      const controller = new AbortController();
      parent?.addEventListener("abort", () => controller.abort(parent.reason), { once: true });
      onNoAnswer = () => {
        now += ms;
        controller.abort(new DOMException("too late", "TimeoutError"));
      };
      return { signal: controller.signal, [Symbol.dispose]: () => {} };
    },
  };
  let onNoAnswer = () => {};
  const answers = [
    "ok",
    "refusal",
    "no answer",
    "no answer",
    "ok",
    "lost",
    "ok",
    "lost",
    "no answer",
    "ok",
    "end",
  ];
  const reported: (number | undefined)[] = [];
  const probing = probeLiveness({
    ping: async ({ signal }) => {
      const answer = answers.shift();
      if (answer === "no answer") onNoAnswer();
      if (answer === "end") stop.abort(new Error("the engine has ended"));
      if (answer === "refusal") throw new Error("UNKNOWN_METHOD");
      if (answer === "lost") throw lost;
      signal.throwIfAborted();
    },
    onUnresponsive: (ms) => reported.push(ms),
    clock,
    signal: stop.signal,
  });
  await expect(probing).rejects.toThrow("the engine has ended");
  // A connection that is opened again at once is not reported.
  expect(reported).toEqual([20_000, 70_000, undefined, 21_000, undefined]);
});

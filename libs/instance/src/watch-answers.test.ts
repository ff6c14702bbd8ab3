import { Fault, FaultCode } from "@daos/fault";
import { type Clock, systemClock } from "@daos/sys";
import { expect, it } from "vitest";
import { watchAnswers } from "./watch-answers.ts";

const lost = new Fault({
  domain: "drpc",
  code: FaultCode.drpcConnectionLost,
  description: "the connection was lost",
  resolution: "none",
});

it("tells of silence until the engine answers again; a refusal is an answer, a lost connection is none", async () => {
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
      onSilent = () => {
        now += ms;
        controller.abort(new DOMException("too late", "TimeoutError"));
      };
      return { signal: controller.signal, [Symbol.dispose]: () => {} };
    },
  };
  let onSilent = () => {};
  const answers = ["ok", "refusal", "silence", "silence", "ok", "lost", "ok", "lost", "silence", "ok", "end"];
  const told: (number | undefined)[] = [];
  const watching = watchAnswers({
    ask: async ({ signal }) => {
      const answer = answers.shift();
      if (answer === "silence") onSilent();
      if (answer === "end") stop.abort(new Error("the engine has ended"));
      if (answer === "refusal") throw new Error("UNKNOWN_METHOD");
      if (answer === "lost") throw lost;
      signal.throwIfAborted();
    },
    onSilence: (ms) => told.push(ms),
    clock,
    signal: stop.signal,
  });
  await expect(watching).rejects.toThrow("the engine has ended");
  // A connection that is opened again at once is not told of.
  expect(told).toEqual([20_000, 70_000, undefined, 21_000, undefined]);
});

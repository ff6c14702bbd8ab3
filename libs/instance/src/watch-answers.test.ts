import { type Clock, systemClock } from "@daos/sys";
import { expect, it } from "vitest";
import { watchAnswers } from "./watch-answers.ts";

it("tells of silence until the engine answers again; a refusal is an answer", async () => {
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
  const answers = ["ok", "refusal", "silence", "silence", "ok", "ok", "end"];
  const told: (number | undefined)[] = [];
  const watching = watchAnswers({
    ask: async ({ signal }) => {
      const answer = answers.shift();
      if (answer === "silence") onSilent();
      if (answer === "end") stop.abort(new Error("the engine has ended"));
      if (answer === "refusal") throw new Error("UNKNOWN_METHOD");
      signal.throwIfAborted();
    },
    onSilence: (ms) => told.push(ms),
    clock,
    signal: stop.signal,
  });
  await expect(watching).rejects.toThrow("the engine has ended");
  expect(told).toEqual([20_000, 70_000, undefined]);
});

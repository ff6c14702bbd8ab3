import { FaultCode } from "@daos/fault";
import { describe, expect, it } from "vitest";
import { Subscribers } from "./subscribers.ts";

const listenTo = (
  subscribers: Subscribers<string>,
  abort: AbortController,
  first: readonly string[] = [],
  idleMs = 60_000,
) => subscribers.listen(first, { signal: abort.signal, idleMs, idle: () => "idle" });

describe("Subscribers", () => {
  it("listen() yields its first messages, then the published ones, and ends with the signal", async () => {
    const subscribers = new Subscribers<string>();
    const abort = new AbortController();
    const got: string[] = [];
    for await (const text of listenTo(subscribers, abort, ["a"])) {
      got.push(text);
      if (text === "a") setImmediate(() => subscribers.publish("b"));
      if (text === "b") abort.abort();
    }
    expect(got).toEqual(["a", "b"]);
    expect(subscribers.size).toBe(0);
  });

  it("listen() yields an idle message when nothing is published", async () => {
    const abort = new AbortController();
    for await (const text of listenTo(new Subscribers<string>(), abort, [], 5)) {
      expect(text).toBe("idle");
      abort.abort();
    }
  });

  it("listen() ends a listener that does not read", async () => {
    const subscribers = new Subscribers<string>();
    const listener = listenTo(subscribers, new AbortController(), ["a"]);
    await listener.next();
    for (let number = 0; number <= 1_001; number++) subscribers.publish(`${number}`);
    // Nothing more is kept for it, although it may never read again.
    expect(subscribers.size).toBe(0);
    await expect(listener.next().then(() => listener.next())).rejects.toMatchObject({
      code: FaultCode.webLimit,
    });
    expect(subscribers.size).toBe(0);
  });

  it("listen() refuses a listener beyond the limit", async () => {
    const subscribers = new Subscribers<string>();
    const abort = new AbortController();
    const listeners = Array.from({ length: 33 }, () => listenTo(subscribers, abort, ["a"]));
    const results = await Promise.allSettled(listeners.map((listener) => listener.next()));
    expect(results.filter(({ status }) => status === "rejected")).toMatchObject([
      { reason: { code: FaultCode.webLimit } },
    ]);
    abort.abort();
    await Promise.all(listeners.map((listener) => listener.next()));
    expect(subscribers.size).toBe(0);
  });
});

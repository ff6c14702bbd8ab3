import { silentLogger } from "@daos/log";
import { SqliteMemberStore } from "@daos/member-store";
import { type Clock, systemClock } from "@daos/sys";
import { describe, expect, it } from "vitest";
import { FailureDetector, watchHosts } from "./failure-detector.ts";
import { Membership } from "./membership.ts";
import { SystemEvents } from "./system-events.ts";
import { memberOf } from "./testing/members.ts";

describe("watchHosts", () => {
  it("watchHosts() records all hosts that are overdue at the same time in one commit", async () => {
    const stop = new AbortController();
    const { signal } = stop;
    let now = 0;
    // Each pause is 20 s for the detector: the first notes the members, the second finds them overdue.
    const clock: Clock = {
      ...systemClock,
      now: () => now,
      delay: async (_ms, wait) => {
        now += 20_000;
        await systemClock.delay(1, wait);
      },
    };
    const members = Array.from({ length: 200 }, (_, rank) =>
      memberOf(rank, { address: { host: `10.0.0.${rank % 100}`, port: 10001 } }),
    );
    const store = new SqliteMemberStore(":memory:");
    await store.commit(
      members.map((member) => ({ kind: "put", member })),
      { signal },
    );
    const membership = await Membership.load({
      store,
      events: new SystemEvents({ log: silentLogger, clock: systemClock }),
      clock: systemClock,
      signal,
      holds: () => true,
      ranksFrom: "engine",
    });
    const watching = watchHosts(membership, new FailureDetector({ clock }), {
      clock,
      log: silentLogger,
      signal,
    });
    await expect
      .poll(() => membership.list().filter(({ state }) => state === "unresponsive").length)
      .toBe(200);
    expect(membership.commits).toBe(1);
    stop.abort(new Error("enough"));
    await expect(watching).rejects.toThrow("enough");
  });
});

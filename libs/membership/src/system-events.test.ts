import { createLogger, type LogRecord, silentLogger } from "@daos/log";
import { systemClock } from "@daos/sys";
import { describe, expect, it } from "vitest";
import { SystemEvents } from "./system-events.ts";

describe("SystemEvents", () => {
  it("keeps the latest, by number", () => {
    const events = new SystemEvents({ log: silentLogger, clock: systemClock });
    for (let n = 1; n <= 4500; n++) events.add("device_warning", `warning ${n}`);
    expect(events.list()).toHaveLength(4096);
    expect(events.list()[0]).toMatchObject({ number: 405, message: "warning 405", severity: "warning" });
    expect(events.list(4499)).toMatchObject([{ number: 4500 }]);
  });

  it("keeps no more than 1 MiB of texts", () => {
    const events = new SystemEvents({ log: silentLogger, clock: systemClock });
    for (let n = 1; n <= 2000; n++) events.add("device_warning", "x".repeat(1024));
    expect(events.list()).toHaveLength(910);
    expect(events.list().at(-1)).toMatchObject({ number: 2000 });
  });

  it("puts the events of former leaders first, and counts on from them", () => {
    const events = new SystemEvents({ log: silentLogger, clock: systemClock });
    events.add("member_unreadable", "while the members were read");
    const former = { time: 1, kind: "engine_died", severity: "error", message: "before" } as const;
    events.restore([
      { ...former, number: 7 },
      { ...former, number: 9 },
    ]);
    events.add("leader_changed", "now");
    expect(events.list().map(({ number, kind }) => `${number} ${kind}`)).toEqual([
      "7 engine_died",
      "9 engine_died",
      "10 member_unreadable",
      "11 leader_changed",
    ]);
    expect(events.unsaved(1)).toMatchObject({ events: [{ number: 10 }], from: 7 });
    events.saved(10);
    expect(events.unsaved(10)).toMatchObject({ events: [{ number: 11 }], from: 7 });
    events.saved(11);
    expect(events.unsaved(10).events).toEqual([]);
  });

  it("logs no more than 600 of a kind in a minute: a host can report as often as it likes", () => {
    const records: LogRecord[] = [];
    const log = createLogger((record) => records.push(record), { level: "DEBUG" });
    const events = new SystemEvents({ log, clock: systemClock });
    for (let n = 1; n <= 5000; n++) events.add("device_warning", `warning ${n}`);
    events.add("engine_died", "engine 0 has died");
    expect(records).toHaveLength(601);
    expect(records.at(-1)).toMatchObject({ level: "ERROR", message: "engine 0 has died" });
  });

  it("yields past and new events to followers, until they stop", async () => {
    const events = new SystemEvents({ log: silentLogger, clock: systemClock });
    events.add("member_joined", "one");
    events.add("member_joined", "two");
    const stop = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { message } of events.follow(1, stop)) {
        seen.push(message);
        if (message === "four") stop.abort();
      }
    })();
    await expect.poll(() => seen).toEqual(["two"]);
    events.add("member_joined", "three");
    events.add("member_joined", "four");
    await reading;
    expect(seen).toEqual(["two", "three", "four"]);
  });

  it("waits for new events when it is asked for those after a future one", async () => {
    const events = new SystemEvents({ log: silentLogger, clock: systemClock });
    events.add("member_joined", "one");
    const stop = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { message } of events.follow(1000, stop)) {
        seen.push(message);
        stop.abort();
      }
    })();
    events.add("member_joined", "two");
    await reading;
    expect(seen).toEqual(["two"]);
  });
});

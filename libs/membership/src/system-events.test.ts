import { createLogger, type LogRecord, silentLogger } from "@daos/log";
import { systemClock } from "@daos/sys";
import { describe, expect, it } from "vitest";
import { SystemEvents } from "./system-events.ts";

describe("SystemEvents", () => {
  it("keeps the latest, by number", () => {
    const events = new SystemEvents({ log: silentLogger, clock: systemClock });
    for (let n = 1; n <= 1500; n++) events.add("device_warning", `warning ${n}`);
    expect(events.list()).toHaveLength(1024);
    expect(events.list()[0]).toMatchObject({ number: 477, message: "warning 477", severity: "warning" });
    expect(events.list(1499)).toMatchObject([{ number: 1500 }]);
  });

  it("logs no more than 600 of a kind in a minute: a host can report as often as it likes", () => {
    const records: LogRecord[] = [];
    const log = createLogger((record) => records.push(record), { level: "DEBUG" });
    const events = new SystemEvents({ log, clock: systemClock });
    for (let n = 1; n <= 5000; n++) events.add("device_warning", `warning ${n}`);
    events.add("member_errored", "engine 0 has died");
    expect(records).toHaveLength(601);
    expect(records.at(-1)).toMatchObject({ level: "ERROR", message: "engine 0 has died" });
  });

  it("tells followers what was and what comes, until they stop", async () => {
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

  it("waits for what comes when it is asked for events after one that has not been", async () => {
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

import { createLogger, type LogRecord, silentLogger } from "@daos/log";
import { type EventChange, type EventRecord, faultMemberStore } from "@daos/member-store";
import { SystemEvents } from "@daos/membership";
import { systemClock } from "@daos/sys";
import { describe, expect, it } from "vitest";
import { keepEvents, saveEvents } from "./keep-events.ts";

/** A store of events that may be full. */
class FakeStore {
  full = false;
  readonly writes: number[] = [];
  readonly kept = new Map<number, EventRecord>();

  async commitEvents({ events, from }: EventChange): Promise<void> {
    if (this.full) throw faultMemberStore("members.db", new Error("database or disk is full"));
    this.writes.push(events.length);
    for (const event of events) this.kept.set(event.number, event);
    for (const number of this.kept.keys()) if (number < from) this.kept.delete(number);
  }
}

const newEvents = () => new SystemEvents({ log: silentLogger, clock: systemClock });

/** The real clock, whose delays take no time. */
const quick = Object.create(systemClock, {
  delay: { value: (_ms: number, wait: { signal: AbortSignal }) => systemClock.delay(1, wait) },
}) as typeof systemClock;

describe("saveEvents", () => {
  it("saveEvents() writes many events at once, each once, and the store keeps no more than the memory", async () => {
    const [events, store, { signal }] = [newEvents(), new FakeStore(), new AbortController()];
    for (let n = 0; n < 5_000; n++) events.add("device_warning", `warning ${n}`);
    await saveEvents(events, store, { signal });
    expect(store.writes).toEqual([...Array(10).fill(400), 96]);
    expect([...store.kept.values()]).toEqual(events.list());
    events.add("device_warning", "one more");
    await saveEvents(events, store, { signal });
    await saveEvents(events, store, { signal });
    expect(store.writes.slice(11)).toEqual([1]);
    expect([...store.kept.values()]).toEqual(events.list());
  });
});

describe("keepEvents", () => {
  it("keepEvents() loses no event while the store is full, says so once, and writes all when there is room", async () => {
    const [events, store, stop] = [newEvents(), new FakeStore(), new AbortController()];
    const records: LogRecord[] = [];
    const log = createLogger((record) => records.push(record), { level: "DEBUG" });
    store.full = true;
    const running = keepEvents(events, { store, clock: quick, log, signal: stop.signal }).catch(() => {});
    events.add("engine_died", "one");
    await expect.poll(() => records.length).toBe(1);
    events.add("engine_died", "two");
    await systemClock.delay(5, stop);
    expect(records.map(({ level }) => level)).toEqual(["WARN"]);
    expect(events.list()).toHaveLength(2);
    store.full = false;
    await expect.poll(() => store.kept.size).toBe(2);
    await expect.poll(() => records.map(({ level }) => level)).toEqual(["WARN", "INFO"]);
    stop.abort();
    await running;
  });
});

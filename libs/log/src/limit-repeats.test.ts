import { describe, expect, it } from "vitest";
import { limitRepeats } from "./limit-repeats.ts";
import { createLogger, type LogRecord } from "./logger.ts";

describe("limitRepeats()", () => {
  const setUp = () => {
    const records: LogRecord[] = [];
    const time = { now: 5 };
    const inner = createLogger((record) => records.push(record), { level: "DEBUG" });
    return { records, time, log: limitRepeats(inner, { lines: 3, now: () => time.now }) };
  };

  it("limitRepeats() writes some lines of a message a minute, and then the number of dropped lines", () => {
    const { records, time, log } = setUp();
    for (let times = 0; times < 1000; times++) log.warn("a call is refused", { times });
    time.now += 60_000;
    log.warn("a call is refused", { times: 1000 });
    log.warn("a call is refused", { times: 1001 });
    expect(records.map(({ level, fields }) => [level, fields.times, fields.notLogged])).toEqual([
      ["WARN", 0, undefined],
      ["WARN", 1, undefined],
      ["WARN", 2, undefined],
      ["WARN", 1000, 997],
      ["WARN", 1001, undefined],
    ]);
  });

  it("limitRepeats() limits each message separately", () => {
    const { records, log } = setUp();
    for (let times = 0; times < 100; times++) log.error("a call cannot be decoded");
    log.info("something else");
    expect(records.map(({ message }) => message)).toEqual([
      ...Array<string>(3).fill("a call cannot be decoded"),
      "something else",
    ]);
  });

  it("limitRepeats() counts the lines of all children together: a peer can have any number of connections", () => {
    const { records, log } = setUp();
    for (let pid = 1; pid < 100; pid++) log.child("session", { pid }).warn("a call cannot be decoded");
    expect(records.map(({ component, fields }) => [component, fields.pid])).toEqual([
      ["session", 1],
      ["session", 2],
      ["session", 3],
    ]);
  });

  it("limitRepeats() does not limit lines of level DEBUG", () => {
    const { records, log } = setUp();
    for (let times = 0; times < 100; times++) log.debug("peer gone");
    expect(records).toHaveLength(100);
  });
});

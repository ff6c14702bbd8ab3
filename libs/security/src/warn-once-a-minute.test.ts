import { createLogger, type LogRecord } from "@daos/log";
import { describe, expect, it } from "vitest";
import { faultConnectionLimit, faultUnknownCall } from "./faults.ts";
import { warnOnceAMinute } from "./warn-once-a-minute.ts";

describe("warnOnceAMinute()", () => {
  it("warnOnceAMinute() logs a refusal once a minute, and how many it left out", () => {
    const records: LogRecord[] = [];
    let now = 5;
    const log = createLogger((record) => records.push(record), { level: "DEBUG" });
    const warn = warnOnceAMinute(log, () => now);
    const fault = faultConnectionLimit("10.0.0.1", 3);
    for (let times = 0; times < 1000; times++) warn("a", fault);
    warn("b", faultUnknownCall("/x"));
    now += 60_000;
    warn("a", fault);
    expect(records.map(({ message, fields }) => [message, fields.code, fields.notLogged])).toEqual([
      ["connection refused", 928, undefined],
      ["call refused", 923, 999],
      ["connection refused", 928, undefined],
    ]);
  });

  it("warnOnceAMinute() logs 100 lines a minute, however many things there are to warn of", () => {
    const records: LogRecord[] = [];
    const warn = warnOnceAMinute(createLogger((record) => records.push(record), { level: "DEBUG" }));
    for (let times = 0; times < 5000; times++) warn(`address ${times}`, faultConnectionLimit("many", 3));
    expect(records).toHaveLength(100);
  });
});

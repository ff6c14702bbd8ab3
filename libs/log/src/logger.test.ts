import { describe, expect, it } from "vitest";
import { formatConsoleLine, formatJsonLine } from "./format-line.ts";
import { createLogger, type LogRecord, levelSwitch, parseLogLevel } from "./logger.ts";

const now = () => new Date("2026-11-23T12:00:00Z");

function collect(level: "DEBUG" | "INFO" | "ERROR") {
  const records: LogRecord[] = [];
  return {
    records,
    log: createLogger((record) => records.push(record), { level, component: "server", now }),
  };
}

describe("createLogger()", () => {
  it("drops records below its level", () => {
    const { records, log } = collect("ERROR");
    log.debug("a");
    log.info("b");
    log.warn("c");
    log.error("d");
    expect(records.map((record) => record.message)).toEqual(["d"]);
  });

  it("gives children the component path and the fields of their parents", () => {
    const { records, log } = collect("DEBUG");
    log.child("instance", { index: 1 }).child("engine").info("ready", { rank: 0 });
    expect(records[0]).toMatchObject({ component: "server.instance.engine", fields: { index: 1, rank: 0 } });
  });
});

describe("formatConsoleLine() and formatJsonLine()", () => {
  const { records, log } = collect("INFO");
  log.warn("engine gone", { index: 0, reason: "exit 3", error: new Error("bad"), size: 5n, rank: undefined });
  const [record] = records as [LogRecord];

  it("are readable on a console", () => {
    expect(formatConsoleLine(record)).toBe(
      '2026-11-23T12:00:00.000Z WARN  server: engine gone index=0 reason="exit 3" error="bad" size=5',
    );
  });

  it("are one object in JSON", () => {
    expect(JSON.parse(formatJsonLine(record))).toEqual({
      time: "2026-11-23T12:00:00.000Z",
      level: "WARN",
      component: "server",
      message: "engine gone",
      index: 0,
      reason: "exit 3",
      error: "bad",
      size: "5",
    });
  });

  it("stay on one line with any message", () => {
    const tricky = { ...record, message: "a\nb\u001b[31m" };
    expect(formatConsoleLine(tricky)).toContain("a\\nb\\u001b[31m");
  });
});

describe("levelSwitch()", () => {
  it("applies to children that were created before", () => {
    const seen: string[] = [];
    const level = levelSwitch("INFO");
    const child = createLogger(({ message }) => seen.push(message), { level }).child("part");
    child.debug("one");
    level.set("DEBUG");
    child.debug("two");
    level.set("ERROR");
    child.warn("three");
    level.reset();
    child.info("four");
    expect(seen).toEqual(["two", "four"]);
    expect([level.level, level.configured]).toEqual(["INFO", "INFO"]);
  });

  it.each([
    ["debug", "DEBUG"],
    [" Err ", "ERROR"],
    ["WARN", "WARN"],
    ["toString", undefined],
    ["DEBUG,MEM=ERR", undefined],
    ["", undefined],
  ])("is read from %j as %s", (text, expected) => {
    expect(parseLogLevel(text)).toBe(expected);
  });
});

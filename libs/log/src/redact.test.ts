import { describe, expect, it } from "vitest";
import { formatConsoleLine, formatJsonLine } from "./format-line.ts";
import { createLogger, type LogRecord } from "./logger.ts";
import { redactFields, redactText } from "./redact.ts";

describe("redactFields()", () => {
  it.each([
    "key",
    "password",
    "token",
    "secret",
    "credential",
    "credentials",
    "private_key",
    "privateKey",
    "apiKey",
    "authToken",
    "dbPassword",
    "Authorization",
    "verifier",
    "passphrase",
  ])("hides %s, however deep", (name) => {
    const text = JSON.stringify(
      redactFields({ [name]: "hunter2", config: [{ tls: { [name]: { data: "hunter2" } } }] }),
    );
    expect(text).not.toContain("hunter2");
    expect(text.match(/\[redacted\]/g)).toHaveLength(2);
  });

  it.each(["rank", "keyPath", "monkey", "device", "author", "passed"])("shows %s", (name) => {
    expect(redactFields({ [name]: "x" })).toEqual({ [name]: "x" });
  });

  it("turns any value into plain data: cycles, depth, bytes, maps, dates", () => {
    const cycle: Record<string, unknown> = { name: "a" };
    cycle.self = cycle;
    expect(
      redactFields({
        cycle,
        bytes: new Uint8Array(5),
        map: new Map([["token", 1]]),
        set: new Set([1]),
        at: new Date(0),
        none: undefined,
        big: 5n,
        long: Array.from({ length: 102 }, () => 0),
      }),
    ).toEqual({
      cycle: { name: "a", self: "..." },
      bytes: "5 bytes",
      map: { token: "[redacted]" },
      set: [1],
      at: "1970-01-01T00:00:00.000Z",
      none: undefined,
      big: 5n,
      long: [...Array.from({ length: 100 }, () => 0), "... 2 more"],
    });
  });
});

describe("redactText()", () => {
  it.each([
    ["env DB_PASSWORD=hunter2 PATH=/bin", "env DB_PASSWORD=[redacted] PATH=/bin"],
    ["token: hunter2, next", "token: [redacted], next"],
    ["-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----.", "[redacted]."],
    ["cut -----BEGIN PRIVATE KEY-----\nhunter2", "cut [redacted]"],
    ['{"password":"a b","n":1}', '{"password":"[redacted]","n":1}'],
    ['{"password":12}', '{"password":"[redacted]"}'],
    ["token='a b' c", "token='[redacted]' c"],
    ["to https://root:p@ss@etcd1:2379.", "to https://[redacted]@etcd1:2379."],
    ["to https://root:p/ss@etcd1:2379.", "to https://[redacted]@etcd1:2379."],
    ["http://a:80/b@c and https://user@host", "http://a:80/b@c and https://user@host"],
    ["engine ready rank=0", "engine ready rank=0"],
    ["the token is missing", "the token is missing"],
  ])("%j", (text, expected) => {
    expect(redactText(text)).toBe(expected);
    expect(redactText(expected)).toBe(expected);
  });
});

it("createLogger() shows no secret in a line's message, field, parent's field or error", () => {
  const records: LogRecord[] = [];
  const log = createLogger((record) => records.push(record), {
    level: "DEBUG",
    fields: { token: "hunter2" },
  });
  log
    .child("a", { key: "hunter2" })
    .error("SECRET=hunter2", { error: new Error("API_TOKEN=hunter2"), password: "hunter2" });
  for (const record of records) {
    expect(formatConsoleLine(record)).not.toContain("hunter2");
    expect(formatJsonLine(record)).not.toContain("hunter2");
  }
});

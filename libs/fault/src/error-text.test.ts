import { describe, expect, it } from "vitest";
import { errorText } from "./error-text.ts";

describe("errorText()", () => {
  it.each([
    { name: "the message of an error", error: new Error("no such file"), text: "no such file" },
    { name: "another thrown value as text", error: 7, text: "7" },
    {
      name: "the messages of all errors of an AggregateError without one of its own",
      error: new AggregateError([new Error("connect ::1"), new Error("connect 127.0.0.1")]),
      text: "connect ::1; connect 127.0.0.1",
    },
    {
      name: "the message of an AggregateError that has one",
      error: new AggregateError([new Error("one")], "no address answers"),
      text: "no address answers",
    },
  ])("errorText() returns $name", ({ error, text }) => {
    expect(errorText(error)).toBe(text);
  });
});

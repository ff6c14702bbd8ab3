import { FaultCode } from "@daos/fault";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { parseRequest } from "./parse-request.ts";
import { absolutePath, nothing, owner } from "./schemas.ts";

/** A method table in place of a provider's. */
const methods = {
  Measure: { payload: nothing, result: nothing },
  Move: { payload: z.strictObject({ path: absolutePath, owner: owner.optional() }), result: nothing },
};

function message(method: string, payload: unknown, rest: object = {}): unknown {
  return { version: 1, method, timeoutMs: 1000, payload, ...rest };
}

describe("parseRequest()", () => {
  it.each([
    ["Measure", {}],
    ["Move", { path: "/mnt/daos" }],
    ["Move", { path: "/mnt/daos", owner: { uid: 1000, gid: 1000 } }],
  ])("takes %s %j", (method, payload) => {
    expect(parseRequest(methods, message(method, payload))).toEqual({ method, payload, timeoutMs: 1000 });
  });

  it.each<[string, unknown, string]>([
    ["nothing", null, "expected object"],
    ["a list", [], "expected object"],
    ["another version", message("Measure", {}, { version: 2 }), "protocol version 2"],
    ["an unknown method", message("Destroy", {}), 'method "Destroy"'],
    ["a method of Object", message("toString", {}), 'method "toString"'],
    ["__proto__ as method", message("__proto__", {}), 'method "__proto__"'],
    ["an unknown field beside the payload", message("Measure", {}, { sudo: true }), "sudo"],
    ["an unknown field in the payload", message("Measure", { all: true }), "all"],
    ["a relative path", message("Move", { path: "mnt" }), "path"],
    ["a NUL in a path", message("Move", { path: "/mnt/a\0b" }), "path"],
    ["an owner of -1", message("Move", { path: "/mnt/a", owner: { uid: -1, gid: 0 } }), "owner.uid"],
    [
      "the owner that means no change",
      message("Move", { path: "/mnt/a", owner: { uid: 4294967295, gid: 0 } }),
      "owner.uid",
    ],
    ["a time of 0", message("Measure", {}, { timeoutMs: 0 }), "timeoutMs"],
    ["a time of days", message("Measure", {}, { timeoutMs: 1e9 }), "timeoutMs"],
  ])("refuses %s", (_name, input, text) => {
    expect(() => parseRequest(methods, input)).toThrowError(
      expect.objectContaining({
        code: FaultCode.helperUnknownRequest,
        message: expect.stringContaining(text),
      }),
    );
  });

  it("refuses __proto__ as a field, in JSON where it is one", () => {
    const json = '{"version":1,"method":"Measure","timeoutMs":1,"payload":{"__proto__":{"x":1}}}';
    expect(() => parseRequest(methods, JSON.parse(json))).toThrow();
  });
});

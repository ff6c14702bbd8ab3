import type { InstanceState } from "@daos/instance";
import { describe, expect, it } from "vitest";
import { isFormatting, serviceStatus } from "./service-status.ts";

const engines = (...kinds: readonly InstanceState["kind"][]) =>
  kinds.map((kind) => ({ state: { kind } as InstanceState }));

describe("serviceStatus()", () => {
  it.each([
    [engines("serving"), "serving (engine 0)"],
    [engines("serving", "serving"), "serving (engines 0 and 1)"],
    [engines("serving", "awaiting format"), "serving (engine 0), awaiting format (engine 1)"],
    [
      engines("new", "failed", "new", "new"),
      "looking at the storage (engines 0, 2 and 3), failed (engine 1)",
    ],
  ])("serviceStatus() groups the engines by state: case %#", (states, text) => {
    expect(serviceStatus(states)).toBe(text);
  });

  it("isFormatting() is true while one engine's storage is formatted", () => {
    expect(isFormatting(engines("serving", "formatting"))).toBe(true);
    expect(isFormatting(engines("serving", "awaiting format"))).toBe(false);
  });
});

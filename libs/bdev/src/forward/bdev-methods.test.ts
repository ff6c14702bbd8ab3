import { FaultCode } from "@daos/fault";
import { parseRequest } from "@daos/pbin";
import { describe, expect, it } from "vitest";
import { bdevMethods } from "./bdev-methods.ts";

describe("bdevMethods()", () => {
  it("take PCI addresses, also those behind a VMD", () => {
    const payload = { devices: ["0000:81:00.0", "5d0505:01:00.0"] };
    const message = { version: 1, method: "BdevFormat", timeoutMs: 1000, payload };
    expect(parseRequest(bdevMethods, message)).toEqual({ method: "BdevFormat", payload, timeoutMs: 1000 });
  });

  it.each([
    ["a device that is no PCI address", { devices: ["../nvme0"] }, "devices.0"],
    ["no devices", { devices: [] }, "devices"],
  ])("refuse %s", (_name, payload, text) => {
    const message = { version: 1, method: "BdevFormat", timeoutMs: 1000, payload };
    expect(() => parseRequest(bdevMethods, message)).toThrowError(
      expect.objectContaining({
        code: FaultCode.helperUnknownRequest,
        message: expect.stringContaining(text),
      }),
    );
  });
});

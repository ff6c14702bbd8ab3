import { FaultCode } from "@daos/fault";
import { describe, expect, it } from "vitest";
import { parseRequest } from "./parse-request.ts";

const ram = { class: "ram", mount: "/mnt/daos", sizeGiB: 4 };

function message(method: string, payload: unknown, rest: object = {}): unknown {
  return { version: 1, method, timeoutMs: 1000, payload, ...rest };
}

describe("parseRequest", () => {
  it.each([
    ["ScmScan", {}],
    ["ScmMount", { storage: ram }],
    ["ScmUnmount", { storage: { class: "dcpm", mount: "/mnt/daos", device: "/dev/pmem0" } }],
    ["ScmFormat", { storage: ram, reformat: false }],
    ["ScmFormat", { storage: ram, reformat: true, owner: { uid: 1000, gid: 1000 } }],
    ["BdevFormat", { devices: ["0000:81:00.0", "5d0505:01:00.0"] }],
  ])("takes %s %j", (method, payload) => {
    expect(parseRequest(message(method, payload))).toEqual({ method, payload, timeoutMs: 1000 });
  });

  it.each<[string, unknown, string]>([
    ["nothing", null, "expected object"],
    ["a list", [], "expected object"],
    ["another version", message("ScmScan", {}, { version: 2 }), "protocol version 2"],
    ["an unknown method", message("ScmDestroy", {}), 'method "ScmDestroy"'],
    ["a method of Object", message("toString", {}), 'method "toString"'],
    ["__proto__ as method", message("__proto__", {}), 'method "__proto__"'],
    ["an unknown field beside the payload", message("ScmScan", {}, { sudo: true }), "sudo"],
    ["an unknown field in the payload", message("ScmScan", { all: true }), "all"],
    ["an unknown field in the storage", message("ScmMount", { storage: { ...ram, flags: 1 } }), "flags"],
    ["mount options in 0.8.0's shape", message("ScmMount", { source: "tmpfs", data: "size=4g" }), "storage"],
    ["a class that is none", message("ScmMount", { storage: { ...ram, class: "nfs" } }), "class"],
    ["a relative mount point", message("ScmMount", { storage: { ...ram, mount: "mnt" } }), "storage.mount"],
    ["a NUL in a path", message("ScmMount", { storage: { ...ram, mount: "/mnt/a\0b" } }), "storage.mount"],
    ["a size of 1.5", message("ScmMount", { storage: { ...ram, sizeGiB: 1.5 } }), "sizeGiB"],
    ["a size as text", message("ScmMount", { storage: { ...ram, sizeGiB: "4" } }), "sizeGiB"],
    ["a size of 0", message("ScmMount", { storage: { ...ram, sizeGiB: 0 } }), "sizeGiB"],
    [
      "an owner of -1",
      message("ScmFormat", { storage: ram, reformat: true, owner: { uid: -1, gid: 0 } }),
      "owner.uid",
    ],
    [
      "the owner that means no change",
      message("ScmFormat", { storage: ram, reformat: true, owner: { uid: 4294967295, gid: 0 } }),
      "owner.uid",
    ],
    ["a device that is no PCI address", message("BdevFormat", { devices: ["../nvme0"] }), "devices.0"],
    ["no devices", message("BdevFormat", { devices: [] }), "devices"],
    ["a time of 0", message("ScmScan", {}, { timeoutMs: 0 }), "timeoutMs"],
    ["a time of days", message("ScmScan", {}, { timeoutMs: 1e9 }), "timeoutMs"],
  ])("refuses %s", (_name, input, text) => {
    expect(() => parseRequest(input)).toThrowError(
      expect.objectContaining({
        code: FaultCode.helperUnknownRequest,
        message: expect.stringContaining(text),
      }),
    );
  });

  it("refuses __proto__ as a field, in JSON where it is one", () => {
    const json = '{"version":1,"method":"ScmScan","timeoutMs":1,"payload":{"__proto__":{"x":1}}}';
    expect(() => parseRequest(JSON.parse(json))).toThrow();
  });
});

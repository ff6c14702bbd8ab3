import { FaultCode } from "@daos/fault";
import { parseRequest } from "@daos/pbin";
import { describe, expect, it } from "vitest";
import { scmMethods } from "./scm-methods.ts";

const ram = { class: "ram", mount: "/mnt/daos", sizeGiB: 4 };

function message(method: string, payload: unknown): unknown {
  return { version: 1, method, timeoutMs: 1000, payload };
}

describe("scmMethods()", () => {
  it.each([
    ["ScmScan", {}],
    ["ScmMount", { storage: ram }],
    ["ScmUnmount", { storage: { class: "dcpm", mount: "/mnt/daos", device: "/dev/pmem0" } }],
    ["ScmFormat", { storage: ram, reformat: false }],
    ["ScmFormat", { storage: ram, reformat: true, owner: { uid: 1000, gid: 1000 } }],
  ])("take %s %j", (method, payload) => {
    expect(parseRequest(scmMethods, message(method, payload))).toEqual({ method, payload, timeoutMs: 1000 });
  });

  it.each<[string, unknown, string]>([
    ["an unknown method", message("ScmDestroy", {}), 'method "ScmDestroy"'],
    ["an unknown field in the payload", message("ScmScan", { all: true }), "all"],
    ["an unknown field in the storage", message("ScmMount", { storage: { ...ram, flags: 1 } }), "flags"],
    ["mount options in 0.8.0's shape", message("ScmMount", { source: "tmpfs", data: "size=4g" }), "storage"],
    ["an unknown class", message("ScmMount", { storage: { ...ram, class: "nfs" } }), "class"],
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
  ])("refuse %s", (_name, input, text) => {
    expect(() => parseRequest(scmMethods, input)).toThrowError(
      expect.objectContaining({
        code: FaultCode.helperUnknownRequest,
        message: expect.stringContaining(text),
      }),
    );
  });
});

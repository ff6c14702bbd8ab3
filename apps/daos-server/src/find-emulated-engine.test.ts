import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { promisify } from "node:util";
import { FaultCode } from "@daos/fault";
import { describe, expect, it } from "vitest";
import { findEmulatedEngine } from "./find-emulated-engine.ts";

describe("findEmulatedEngine()", () => {
  it("finds a program of the workspace's emulator that can be executed", async () => {
    const found = findEmulatedEngine();
    expect(found).toMatch(/\/tools\/engine-emulator\/bin\/daos_io_server$/);
    await expect(access(found, constants.X_OK)).resolves.toBeUndefined();
    await promisify(execFile)("sh", ["-n", found]);
  });

  it("reports engineNotFound when the package is not installed", () => {
    expect(() => findEmulatedEngine("@daos/not-installed")).toThrow(
      expect.objectContaining({
        code: FaultCode.engineNotFound,
        description: "there is no daos_io_server in the package @daos/not-installed",
      }),
    );
  });
});

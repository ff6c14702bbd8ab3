import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { ProcessCommandRunner } from "@daos/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { faultDomain } from "./fault-domain.ts";

const options = { runner: new ProcessCommandRunner(), signal: new AbortController().signal };

describe("faultDomain", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "daos-fault-domain-"));
  });
  afterEach(() => rm(directory, { recursive: true }));

  const program = async (lines: string, mode = 0o555): Promise<string> => {
    const path = join(directory, "fd_cb");
    await writeFile(path, `#!/bin/sh\n${lines}\n`);
    await chmod(path, mode);
    return path;
  };

  it("faultDomain() returns the name of the host when the configuration has no fault domain", async () => {
    expect(await faultDomain({}, options)).toBe(`/${hostname()}`);
    expect(await faultDomain({ faultPath: "/rack7/host1" }, options)).toBe("/rack7/host1");
  });

  it("faultDomain() returns the output of fault_cb, and does not run it when fault_path is set", async () => {
    const ran = join(directory, "ran");
    const faultCb = await program(`touch ${ran}; echo /rack7/host1`);
    expect(await faultDomain({ faultCb, faultPath: "/here" }, options)).toBe("/here");
    await expect(rm(ran)).rejects.toMatchObject({ code: "ENOENT" });
    expect(await faultDomain({ faultCb }, options)).toBe("/rack7/host1");
    await rm(ran);
  });

  it.each([
    ["prints nothing", "true", 0o555, 'it printed "", which is not a path'],
    ["prints a word", "echo rack7", 0o555, 'it printed "rack7"'],
    ["prints two lines", "echo /rack7; echo /host1", 0o555, "which is not a path"],
    ["fails", "echo no database >&2; exit 3", 0o555, "it ended with 3 and said: no database"],
    ["is killed", "kill -9 $$", 0o555, "it ended with a signal"],
    ["is not executable", "echo /rack7", 0o444, "not executable, its mode is 0444"],
    [
      "may be changed by others",
      "echo /rack7",
      0o757,
      "others than its owner may change it, its mode is 0757",
    ],
  ])(
    "faultDomain() refuses a program and gives the reason when it %s",
    async (_name, lines, mode, reason) => {
      const faultCb = await program(lines, mode);
      await expect(faultDomain({ faultCb }, options)).rejects.toMatchObject({
        code: FaultCode.faultCallbackFailed,
        message: expect.stringContaining(reason) as unknown,
      });
    },
  );

  it("faultDomain() refuses a program when it does not exist or is a directory", async () => {
    await expect(faultDomain({ faultCb: join(directory, "none") }, options)).rejects.toThrow(
      "does not exist",
    );
    await expect(faultDomain({ faultCb: directory }, options)).rejects.toThrow("not a file");
  });
});

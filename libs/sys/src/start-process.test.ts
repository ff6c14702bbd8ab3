import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { describe, expect, it } from "vitest";
import { maxOpenFiles, parseMaxOpenFiles } from "./max-open-files.ts";
import { ProcessCommandRunner } from "./run-command.ts";
import { startProcess } from "./start-process.ts";
import { runWithoutDescriptors } from "./testing/without-descriptors.ts";

describe("startProcess", () => {
  it("ProcessCommandRunner.run() is a fault when descriptors have run out, and works again afterwards", async () => {
    const { before, without, after } = await runWithoutDescriptors(
      new URL("testing/attempt-run.ts", import.meta.url),
    );
    expect([before, after]).toEqual([{ result: "run\n" }, { result: "run\n" }]);
    expect(without[0]).toMatchObject({
      error: {
        code: FaultCode.processNotStarted,
        message: expect.stringContaining("start the program echo") as string,
        resolution: expect.stringContaining("LimitNOFILE=") as string,
      },
    });
    for (const attempt of without) {
      if ("error" in attempt) expect(attempt.error.code).toBe(FaultCode.processNotStarted);
      else expect(attempt.result).toBe("run\n");
    }
  });

  it("startProcess() is a fault for a program that may not be executed, and an error for one that is not there", async () => {
    const directory = await mkdtemp(join(tmpdir(), "daos-sys-"));
    const path = join(directory, "tool");
    await writeFile(path, "#!/bin/sh\n");
    await chmod(path, 0o644);
    await expect(startProcess(path, [], {})).rejects.toMatchObject({
      code: FaultCode.processNotStarted,
      reason: expect.stringContaining("EACCES") as string,
    });
    await expect(startProcess(join(directory, "none"), [], {})).rejects.toMatchObject({ code: "ENOENT" });
    await rm(directory, { recursive: true });
  });

  it("ProcessCommandRunner.run() starts nothing for a signal that has aborted", async () => {
    const signal = AbortSignal.abort("stop");
    await expect(new ProcessCommandRunner().run(["echo"], { signal })).rejects.toBe("stop");
  });
});

describe("maxOpenFiles", () => {
  it.each([
    [
      "Max processes  1  1\nMax open files            1024                 524288               files\n",
      1024,
    ],
    ["Max open files            unlimited            unlimited            files\n", undefined],
    ["", undefined],
  ])("parseMaxOpenFiles() reads %j as %s", (text, expected) => {
    expect(parseMaxOpenFiles(text)).toBe(expected);
  });

  it("maxOpenFiles() is that of this process", () => {
    expect(maxOpenFiles() ?? 1).toBeGreaterThan(0);
  });
});

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { runWithoutDescriptors } from "@daos/sys/testing";
import { describe, expect, it } from "vitest";
import { TOOLS, ToolRunner } from "./tool-runner.ts";

// The tests need tools that belong to root, because ToolRunner runs no others.
describe("ToolRunner", () => {
  const runner = new ToolRunner();

  it("ToolRunner.run() runs a tool of the list with an empty environment", async () => {
    const { exitCode, stdout } = await runner.run(["mount", "--version"]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("util-linux");
  });

  it("ToolRunner.run() follows a tool's symbolic link", async () => {
    const { stderr } = await runner.run(["mkfs.ext4", "-V"]);
    expect(stderr).toContain("mke2fs");
  });

  it.each(["sh", "/bin/sh", "../bin/mount", "/usr/bin/mount", "env", "", "toString"])(
    "ToolRunner.run() refuses %j",
    async (name) => {
      await expect(runner.run([name])).rejects.toMatchObject({ code: "ENOENT" });
    },
  );

  it("ToolRunner.run() starts no tool when the caller has disconnected", async () => {
    const signal = AbortSignal.abort(new Error("stop"));
    await expect(runner.run(["mount"], { signal })).rejects.toThrow("stop");
  });

  it("ToolRunner.run() throws a fault when descriptors run out, and works again afterwards", async () => {
    const { before, without, after } = await runWithoutDescriptors(
      new URL("testing/attempt-tool.ts", import.meta.url),
    );
    expect([before, after]).toEqual([{ result: 0 }, { result: 0 }]);
    const failed = without.flatMap((attempt) => ("error" in attempt ? [attempt.error.code] : []));
    expect(failed).toContain(FaultCode.processNotStarted);
    for (const code of failed) expect(["EMFILE", FaultCode.processNotStarted]).toContain(code);
  });
});

it("TOOLS has every program that the providers run", async () => {
  const libs = join(import.meta.dirname, "../../../libs");
  const programs = new Set<string>();
  for (const directory of [join(libs, "scm", "src"), join(libs, "bdev", "src")])
    for (const name of await readdir(directory)) {
      // The server makes files with its own rights.
      if (!/(?<!\.test)\.ts$/.test(name) || name === "create-bdev-files.ts") continue;
      const text = await readFile(join(directory, name), "utf8");
      for (const [, program = ""] of text.matchAll(/(?:Argv = |run\()\[\s*"([\w.]+)"/g))
        programs.add(program);
    }
  expect([...programs]).toContain("cxl");
  expect([...programs].filter((program) => !TOOLS.has(program))).toEqual([]);
});

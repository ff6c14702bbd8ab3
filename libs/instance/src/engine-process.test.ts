import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ENGINE_LAUNCHER, tryLockFile } from "@daos/drpc";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { runWithoutDescriptors } from "@daos/sys/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EngineProcess } from "./engine-process.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "daos-process-"));
});
afterEach(() => rm(directory, { recursive: true }));

const start = (executable: string, args: readonly string[], lockFd?: number) =>
  EngineProcess.start({
    index: 0,
    executable,
    args,
    env: { PATH: "/usr/bin:/bin", "A.B": "kept" },
    log: silentLogger,
    lockFd,
  });

/** Takes the lock of a file and gives it back; false when another process has it. */
function isFree(path: string): boolean {
  const fd = openSync(path, "a");
  try {
    return tryLockFile(fd);
  } finally {
    closeSync(fd);
  }
}

describe("EngineProcess.start()", () => {
  it("is a fault when descriptors have run out, and works again afterwards", async () => {
    const { before, without, after } = await runWithoutDescriptors(
      new URL("testing/attempt-start.ts", import.meta.url),
    );
    const ended = { result: { code: 0, signal: null } };
    expect([before, after]).toEqual([ended, ended]);
    expect(without[0]).toMatchObject({
      error: {
        code: FaultCode.engineStartFailed,
        resolution: expect.stringContaining("LimitNOFILE=") as string,
      },
    });
    for (const attempt of without) {
      if ("error" in attempt) expect(attempt.error.code).toBe(FaultCode.engineStartFailed);
      else expect(attempt).toEqual(ended);
    }
  });

  it("hands the lock on the storage on: it is held until the engine has ended", async () => {
    const path = join(directory, "lock");
    const fd = openSync(path, "a");
    expect(tryLockFile(fd)).toBe(true);
    const engine = await start("/bin/sleep", ["1000"], fd);
    closeSync(fd);
    expect(isFree(path)).toBe(false);
    expect(await engine.stop(60_000)).toEqual({ code: null, signal: "SIGTERM" });
    expect(isFree(path)).toBe(true);
  });

  it("has the engine's process id, arguments and environment", async () => {
    const file = join(directory, "environment");
    const engine = await start("/bin/sh", [
      "-c",
      `tr '\\0' '\\n' < /proc/$$/environ > ${file}; echo $$ >> ${file}`,
    ]);
    expect(await engine.exited).toEqual({ code: 0, signal: null });
    expect((await readFile(file, "utf8")).trim().split("\n")).toEqual([
      "PATH=/usr/bin:/bin",
      "A.B=kept",
      `${engine.pid}`,
    ]);
  });

  it("is a fault when there is nothing that can be executed", async () => {
    await expect(start(join(directory, "none"), [])).rejects.toMatchObject({
      code: FaultCode.engineStartFailed,
    });
  });
});

describe("EngineProcess's launcher", () => {
  it("starts no engine whose server has ended before the death signal was set", async () => {
    const file = join(directory, "started");
    // Process 1 stands for the one that adopts a process whose parent has ended.
    const child = spawn(ENGINE_LAUNCHER, ["1", "/bin/sh", "-c", `echo > ${file}`], { stdio: "pipe" });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    expect(await once(child, "close")).toEqual([125, null]);
    expect(stderr).toContain("the server with process id 1 has ended");
    await expect(readFile(file)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("lets the kernel kill the engine when its server is killed", async () => {
    const path = join(directory, "lock");
    const script = `
      const { spawn } = require("node:child_process");
      const lock = require("node:fs").openSync(${JSON.stringify(path)}, "a");
      const flock = spawn("flock", ["-n", "3"], { stdio: ["ignore", "ignore", "ignore", lock] });
      flock.once("close", () => {
        const args = [String(process.pid), "/bin/sleep", "1000"];
        const engine = spawn(${JSON.stringify(ENGINE_LAUNCHER)}, args, { stdio: ["ignore", "pipe", "ignore", lock] });
        engine.once("spawn", () => console.log("started"));
      });`;
    const server = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(server.stdout, "data");
    expect(isFree(path)).toBe(false);
    server.kill("SIGKILL");
    await once(server, "close");
    await expect.poll(() => isFree(path), { timeout: 60_000 }).toBe(true);
  });
});

import { appendFile, mkdir, readFile, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ProcessCommandRunner } from "@daos/sys";
import { expect, it } from "vitest";
import { EVENTUAL_TIMEOUT_MS, isRoot, TestSystem } from "./test-system.ts";

it.runIf(isRoot)("daos-server with a full log disk serves, and ends with SIGTERM", async () => {
  await using system = await TestSystem.create({
    more: "control_log_file: LOG/control.log\ncontrol_log_mask: DEBUG",
  });
  const logs = join(system.directory, "logs");
  await mkdir(logs);
  const runner = new ProcessCommandRunner();
  await runner.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", logs]);
  const config = await readFile(system.configPath, "utf8");
  await writeFile(system.configPath, config.replace("LOG/control.log", join(logs, "control.log")));
  await system.start();

  const { bavail, bsize } = await statfs(logs);
  await writeFile(join(logs, "filler"), Buffer.alloc(bavail * bsize));
  // The last page of the log still has free space.
  await appendFile(join(logs, "control.log"), "x".repeat(4096)).catch(() => {});
  // The server logs each of these calls.
  const reported = async () => {
    await system.dmg("system", "start");
    return system.server.output;
  };
  await expect.poll(reported, { timeout: EVENTUAL_TIMEOUT_MS }).toContain("the log file cannot be written");
  await system.dmgJson("system", "query");
  expect((await statfs(logs)).bavail).toBe(0);
  expect(await system.stop()).toMatchObject({ exitCode: 0 });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { afterEach, beforeEach, expect, it } from "vitest";
import { StorageLocks, storageLockFile } from "./storage-lock.ts";

let mount = "";
beforeEach(async () => {
  mount = await mkdtemp(join(tmpdir(), "daos-lock-"));
});
afterEach(() => rm(mount, { recursive: true }));

it("keeps others out until it is released", async () => {
  using one = new StorageLocks();
  using other = new StorageLocks();
  await one.take(mount);
  await one.take(mount);
  await expect(other.take(mount)).rejects.toMatchObject({
    code: FaultCode.storageInUse,
    message: expect.stringContaining(mount),
  });
  one.release(mount);
  await other.take(mount);
  await expect(one.take(mount)).rejects.toMatchObject({ code: FaultCode.storageInUse });
});

it("ends with the process that has it", async () => {
  const script = `import { DatabaseSync } from "node:sqlite";
    new DatabaseSync(${JSON.stringify(storageLockFile(mount))}).exec("BEGIN EXCLUSIVE");
    console.log("held"); setInterval(() => {}, 1000);`;
  using locks = new StorageLocks();
  await locks.take(mount);
  locks.release(mount);
  const holder = spawn(process.execPath, ["--no-warnings", "--input-type=module", "-e", script]);
  const ended = once(holder, "close");
  try {
    await once(holder.stdout, "data");
    await expect(locks.take(mount)).rejects.toMatchObject({ code: FaultCode.storageInUse });
  } finally {
    holder.kill("SIGKILL");
  }
  await ended;
  await locks.take(mount);
});

it("tells of a directory that takes no file", async () => {
  using locks = new StorageLocks();
  await expect(locks.take("/proc/1")).rejects.toMatchObject({ code: "ENOENT" });
});

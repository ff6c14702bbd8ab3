import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { SmallFileSystem } from "@daos/sys/testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import { StorageLocks } from "./storage-lock.ts";

const { signal } = new AbortController();
let mount = "";
beforeEach(async () => {
  mount = await mkdtemp(join(tmpdir(), "daos-lock-"));
});
afterEach(() => rm(mount, { recursive: true }));

it("StorageLocks.take() locks the storage until it is released", async () => {
  using one = new StorageLocks({ timeoutMs: 0 });
  using other = new StorageLocks({ timeoutMs: 0 });
  await one.take(mount, { signal });
  await one.take(mount, { signal });
  await expect(other.take(mount, { signal })).rejects.toMatchObject({
    code: FaultCode.storageInUse,
    message: expect.stringContaining(mount),
  });
  one.release(mount);
  await other.take(mount, { signal });
  await expect(one.take(mount, { signal })).rejects.toMatchObject({ code: FaultCode.storageInUse });
});

it("StorageLocks.take() says that the lock cannot be written, where, and what to do, when the storage is damaged", async () => {
  using locks = new StorageLocks({ timeoutMs: 0 });
  await writeFile(join(mount, "control_plane"), "");
  await expect(locks.take(mount, { signal })).rejects.toMatchObject({
    code: FaultCode.storageUnwritable,
    description: `cannot write ${join(mount, "control_plane", "lock")}`,
    reason: expect.stringContaining("ENOTDIR"),
    resolution: expect.stringContaining("daos-server start"),
  });
});

it.runIf(process.geteuid?.() === 0)("StorageLocks.take() says that the storage is read-only", async () => {
  using small = new SmallFileSystem(1);
  small.makeReadOnly();
  using locks = new StorageLocks({ timeoutMs: 0 });
  await expect(locks.take(small.path, { signal })).rejects.toMatchObject({
    code: FaultCode.storageUnwritable,
    reason: expect.stringContaining("EROFS"),
    resolution: expect.stringContaining("read-write"),
  });
});

it("StorageLocks.take() locks the storage until the last process that inherited the lock has ended, also when the server was killed", async () => {
  using first = new StorageLocks({ timeoutMs: 0 });
  await first.take(mount, { signal });
  const fd = first.descriptor(mount);
  const engine = spawn("sleep", ["1000"], { stdio: ["ignore", "ignore", "ignore", fd] });
  const ended = once(engine, "close");
  try {
    await once(engine, "spawn");
    // The kernel does the same for a killed server.
    first.release(mount);
    expect(first.descriptor(mount)).toBeUndefined();
    using second = new StorageLocks({ timeoutMs: 0 });
    await expect(second.take(mount, { signal })).rejects.toMatchObject({ code: FaultCode.storageInUse });
    using patient = new StorageLocks({ timeoutMs: 60_000 });
    const taken = patient.take(mount, { signal });
    engine.kill("SIGKILL");
    await ended;
    await taken;
  } finally {
    engine.kill("SIGKILL");
  }
});

it("StorageLocks.take() ends its wait when the signal aborts", async () => {
  using one = new StorageLocks();
  using other = new StorageLocks({ timeoutMs: 600_000 });
  await one.take(mount, { signal });
  const stop = new AbortController();
  const taken = other.take(mount, { signal: stop.signal });
  stop.abort(new Error("the server ends"));
  await expect(taken).rejects.toThrow("the server ends");
  expect(other.descriptor(mount)).toBeUndefined();
});

it("StorageLocks.take() says that the lock cannot be written when the directory cannot be made", async () => {
  using locks = new StorageLocks();
  await expect(locks.take("/proc/1", { signal })).rejects.toMatchObject({
    code: FaultCode.storageUnwritable,
    reason: expect.stringContaining("ENOENT"),
  });
});

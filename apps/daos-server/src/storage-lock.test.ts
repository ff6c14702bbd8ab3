import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultCode } from "@daos/fault";
import { afterEach, beforeEach, expect, it } from "vitest";
import { StorageLocks } from "./storage-lock.ts";

const { signal } = new AbortController();
let mount = "";
beforeEach(async () => {
  mount = await mkdtemp(join(tmpdir(), "daos-lock-"));
});
afterEach(() => rm(mount, { recursive: true }));

it("keeps others out until it is released", async () => {
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

it("ends with the last process that has inherited it, also when a server was killed", async () => {
  using first = new StorageLocks({ timeoutMs: 0 });
  await first.take(mount, { signal });
  const fd = first.descriptor(mount);
  const engine = spawn("sleep", ["1000"], { stdio: ["ignore", "ignore", "ignore", fd] });
  const ended = once(engine, "close");
  try {
    await once(engine, "spawn");
    // As the kernel does for a server that is killed.
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

it("ends its wait with the signal", async () => {
  using one = new StorageLocks();
  using other = new StorageLocks({ timeoutMs: 600_000 });
  await one.take(mount, { signal });
  const stop = new AbortController();
  const taken = other.take(mount, { signal: stop.signal });
  stop.abort(new Error("the server ends"));
  await expect(taken).rejects.toThrow("the server ends");
  expect(other.descriptor(mount)).toBeUndefined();
});

it("tells of a directory that takes no file", async () => {
  using locks = new StorageLocks();
  await expect(locks.take("/proc/1", { signal })).rejects.toMatchObject({ code: "ENOENT" });
});

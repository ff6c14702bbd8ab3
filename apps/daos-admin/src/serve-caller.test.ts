import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { BdevForwarder } from "@daos/bdev";
import { FaultCode } from "@daos/fault";
import { silentLogger } from "@daos/log";
import { ForwardingScm, ScmForwarder, type ScmOperations, ScmProvider } from "@daos/scm";
import { FakeCommandRunner, FakeMountTable, FakeSysTree } from "@daos/sys/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fileLocks, takeAll } from "./locks.ts";
import { serveCaller } from "./serve-caller.ts";
import { trustedDirectory } from "./testing/trusted-directory.ts";
import { ToolRunner } from "./tool-runner.ts";

const uid = process.getuid?.() ?? 0;
const place = await trustedDirectory();
/** The outcome is written to the audit after the caller has its answer. */
const OUTCOMES = { timeout: 30_000 };

// The tests need a directory whose parents all belong to root or to the user.
describe.skipIf(place === undefined)("serveCaller()", () => {
  let directory = "";
  let server: Server | undefined;
  const runner = new FakeCommandRunner();
  const mounts = new FakeMountTable({ privileged: true });
  mounts.answer(runner);

  beforeEach(async () => {
    directory = await mkdtemp(join(place ?? "", "serve-"));
    await mkdir(join(directory, "etc"));
    await writeFile(
      join(directory, "etc/daos_admin.yml"),
      `mounts: [{ path: ${directory}/mnt, max_size_gib: 2 }]\npci_addresses: ["0000:81:00.0"]\nhugepages: 10\n`,
      { mode: 0o644 },
    );
    mounts.entries.length = 0;
    runner.ran.length = 0;
  });
  afterEach(async () => {
    server?.close();
    await rm(directory, { recursive: true });
  });

  const locksFor = (holder: string) => {
    const tools = new ToolRunner();
    return fileLocks({
      directory: join(directory, "locks"),
      lockFile: (file, options) => tools.lock(file, options),
      holder,
      trust: { uid },
    });
  };

  async function helper({ lockWaitMs = 200 } = {}) {
    server?.close();
    const path = join(directory, "helper.sock");
    server = createServer({ allowHalfOpen: true }, (socket) => {
      void serveCaller(
        { input: socket, output: socket },
        {
          release: "1.2.3",
          shape: "socket",
          caller: { uid: 1234, gid: 1235, pid: 77 },
          policyPath: join(directory, "etc/daos_admin.yml"),
          logFile: join(directory, "audit.log"),
          ports: {
            runner,
            mounts,
            sys: new FakeSysTree(),
            trust: { uid },
            lockWaitMs,
            locksFor,
          },
        },
      );
    });
    await new Promise<void>((resolve) => server?.listen(path, resolve));
    return { kind: "socket", path } as const;
  }

  const audit = async () =>
    (await readFile(join(directory, "audit.log"), "utf8"))
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line));

  it("serveCaller() formats, mounts and unmounts the storage of the policy for its caller", async () => {
    const scm: ScmOperations = new ScmForwarder({ helper: await helper() });
    const storage = { class: "ram", mount: join(directory, "mnt"), sizeGiB: 2 } as const;
    expect(await scm.checkFormat(storage)).toEqual({ kind: "unformatted" });
    await scm.format(storage, { reformat: false });
    expect(runner.ran).toEqual([
      `mount -t tmpfs -o size=2g,mode=0700,uid=1234,gid=1235,nosuid,nodev tmpfs ${storage.mount}`,
    ]);
    expect(await scm.checkFormat(storage)).toEqual({ kind: "mounted" });
    await scm.unmount(storage);
    expect(mounts.entries).toEqual([]);
    const lines = ["ScmCheckFormat", "ScmFormat", "ScmCheckFormat", "ScmUnmount"].flatMap((method) => {
      const who = { caller_uid: 1234, caller_gid: 1235, caller_pid: 77, method };
      const subject = { class: "ram", mount: storage.mount };
      return [
        { message: "request", ...who, ...subject },
        ...providerLines(method),
        { message: "done", ...who },
      ];
    });
    await vi.waitFor(async () => expect(await audit()).toMatchObject(lines), OUTCOMES);
  });

  it("serveCaller() refuses what the policy does not name, and audits it", async () => {
    const scm = new ScmForwarder({ helper: await helper() });
    await expect(
      scm.mount({ class: "ram", mount: join(directory, "other"), sizeGiB: 1 }),
    ).rejects.toMatchObject({
      code: FaultCode.helperRefused,
      resolution: expect.stringContaining(`- path: ${directory}/other`),
    });
    await expect(scm.reset()).rejects.toMatchObject({ code: FaultCode.helperRefused });
    expect(runner.ran).toEqual([]);
    const lines = [
      { message: "request", method: "ScmMount" },
      { level: "WARN", message: "failed", method: "ScmMount", code: FaultCode.helperRefused },
      { message: "request", method: "ScmReset" },
      { message: "failed" },
    ];
    await vi.waitFor(async () => expect(await audit()).toMatchObject(lines), OUTCOMES);
  });

  it("serveCaller() reports the caller's identity and permissions", async () => {
    const direct = new ScmProvider({ runner, mounts, log: silentLogger });
    const scm: ScmOperations = await ForwardingScm.connect(direct, { helper: await helper() });
    mounts.privileged = false;
    expect(await scm.checkFormat({ class: "ram", mount: join(directory, "else"), sizeGiB: 9 })).toEqual({
      kind: "unformatted",
    });
    mounts.privileged = true;
  });

  it("serveCaller() leaves controllers outside of the policy unchanged", async () => {
    const bdev = new BdevForwarder({
      helper: await helper(),
    });
    expect(await bdev.scan()).toEqual([]);
    await expect(bdev.format({ class: "nvme", list: ["0000:82:00.0"] })).rejects.toMatchObject({
      code: FaultCode.helperRefused,
    });
    await expect(bdev.prepare({ hugepages: 11 })).rejects.toMatchObject({ code: FaultCode.helperRefused });
    await expect(bdev.prepare({ hugepages: 1, owner: { uid: 0, gid: 0 } })).rejects.toMatchObject({
      code: FaultCode.helperRefused,
    });
    expect(await bdev.format({ class: "nvme", list: ["81:00.0"] })).toMatchObject([
      { device: "0000:81:00.0", fault: { code: FaultCode.bdevMissingDevice } },
    ]);
    expect(await bdev.burnIn(["0000:82:00.0", "81:00.0"], { durationMs: 5 })).toMatchObject([
      { device: "0000:81:00.0", fault: { code: FaultCode.bdevMissingDevice } },
      { device: "0000:82:00.0", fault: { code: FaultCode.helperRefused } },
    ]);
    await expect(bdev.burnIn(["81:00.0"], { durationMs: 91 * 60_000 })).rejects.toMatchObject({
      code: FaultCode.helperUnknownRequest,
    });
  });

  it("serveCaller() never uses a mount or a controller in two requests at once", async () => {
    const signal = new AbortController().signal;
    const location = await helper();
    const mount = join(directory, "mnt");
    const storage = { class: "ram", mount, sizeGiB: 1 } as const;
    const held = await takeAll(locksFor("the test"), [{ what: mount }, { what: "0000:81:00.0" }], {
      waitMs: 0,
      signal,
    });
    await expect(new ScmForwarder({ helper: location }).mount(storage)).rejects.toMatchObject({
      code: FaultCode.helperBusy,
      description: expect.stringContaining(mount),
      reason: expect.stringContaining("the test"),
    });
    const bdev = new BdevForwarder({ helper: location });
    expect(await bdev.format({ class: "nvme", list: ["81:00.0"] })).toMatchObject([
      { device: "0000:81:00.0", fault: { code: FaultCode.helperBusy } },
    ]);
    expect(runner.ran).toEqual([]);
    await held[Symbol.asyncDispose]();
    const scm = new ScmForwarder({ helper: await helper({ lockWaitMs: 60_000 }) });
    const both = await Promise.allSettled([
      scm.format(storage, { reformat: false }),
      scm.format(storage, { reformat: false }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(both.find(({ status }) => status === "rejected")).toMatchObject({
      reason: { code: FaultCode.storageAlreadyFormatted },
    });
    expect(runner.ran.filter((line) => line.startsWith("mount "))).toHaveLength(1);
  });

  it("serveCaller() waits for every device before it prepares all of a kind", async () => {
    const signal = new AbortController().signal;
    const bdev = new BdevForwarder({ helper: await helper() });
    await using _one = await locksFor("a burn-in").take(
      { what: "nvme", shared: true },
      { waitMs: 0, signal },
    );
    await expect(bdev.reset()).rejects.toMatchObject({
      code: FaultCode.helperBusy,
      description: expect.stringContaining("nvme"),
    });
  });

  it("serveCaller() refuses every request when other users may write the policy", async () => {
    await chmod(join(directory, "etc/daos_admin.yml"), 0o666);
    await expect(new ScmForwarder({ helper: await helper() }).scan()).rejects.toMatchObject({
      code: FaultCode.helperUntrustedPath,
    });
  });

  it("serveCaller() refuses every request without an audit", async () => {
    await mkdir(join(directory, "audit.log"));
    await expect(new ScmForwarder({ helper: await helper() }).scan()).rejects.toThrow();
    expect(runner.ran).toEqual([]);
  });

  it("serveCaller() allows only scans without a policy", async () => {
    await rm(join(directory, "etc/daos_admin.yml"));
    const scm = new ScmForwarder({ helper: await helper() });
    await expect(
      scm.checkFormat({ class: "ram", mount: join(directory, "mnt"), sizeGiB: 1 }),
    ).rejects.toMatchObject({
      code: FaultCode.helperRefused,
    });
    runner.on("ipmctl", "").on("ndctl", "[]");
    expect(await scm.scan()).toMatchObject({ namespaces: [] });
  });

  it("serveCaller() uses the server's configuration when there is no policy", async () => {
    await rm(join(directory, "etc/daos_admin.yml"));
    await writeFile(
      join(directory, "etc/daos_server.yml"),
      `servers: [{ scm_mount: ${directory}/mnt, scm_class: ram, scm_size: 1 }]\n`,
      { mode: 0o644 },
    );
    const scm = new ScmForwarder({ helper: await helper() });
    expect(await scm.checkFormat({ class: "ram", mount: join(directory, "mnt"), sizeGiB: 1 })).toEqual({
      kind: "unformatted",
    });
  });
});

/** The provider's own record in the audit. */
function providerLines(method: string): readonly object[] {
  switch (method) {
    case "ScmFormat":
      return [{ message: "SCM mounted" }, { message: "SCM formatted" }];
    case "ScmUnmount":
      return [{ message: "SCM unmounted" }];
    default:
      return [];
  }
}

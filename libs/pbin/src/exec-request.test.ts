import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fault, FaultCode } from "@daos/fault";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { execRequest } from "./exec-request.ts";
import { ForwardingScm } from "./forwarding-scm.ts";
import { encodeFrame } from "./frame.ts";
import { HelperBdev } from "./helper-bdev.ts";
import { HelperScm } from "./helper-scm.ts";
import { type HelperMethod, helperMethods } from "./requests.ts";
import { type HelperHandlers, type HelperOutcome, serveRequest } from "./serve-request.ts";

const ram = { class: "ram", mount: "/mnt/daos", sizeGiB: 4 } as const;

/** Handlers that fail, except for the given ones. */
function only(some: Partial<HelperHandlers>): HelperHandlers {
  const refuse = () => Promise.reject(new Error("not in this test"));
  const rest = Object.fromEntries(Object.keys(helperMethods).map((method) => [method, refuse]));
  return { ...(rest as unknown as HelperHandlers), ...some };
}

describe("a request over a socket", () => {
  let directory = "";
  let server: Server | undefined;
  const outcomes: HelperOutcome[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "daos-pbin-"));
    outcomes.length = 0;
  });
  afterEach(async () => {
    server?.close();
    await rm(directory, { recursive: true });
  });

  async function listen(onConnection: (socket: Socket) => void) {
    const path = join(directory, "helper.sock");
    server = createServer({ allowHalfOpen: true }, onConnection);
    await new Promise<void>((resolve) => server?.listen(path, resolve));
    return { kind: "socket", path } as const;
  }

  function serve(some: Partial<HelperHandlers>) {
    return listen((socket) => {
      void serveRequest({ input: socket, output: socket }, { handlers: only(some) }).then((outcome) =>
        outcomes.push(outcome),
      );
    });
  }

  it("brings the result, with bigints", async () => {
    const module = {
      physicalId: 1,
      socket: 0,
      memoryController: 0,
      channel: 2,
      channelPosition: 1,
      capacity: 502599991296n,
    };
    const scan = { modules: [module], namespaces: [], notes: ["a note"] };
    const helper = await serve({ ScmScan: () => Promise.resolve(scan) });
    expect(await new HelperScm({ helper }).scan()).toEqual(scan);
  });

  it("passes payload and result of each SCM operation", async () => {
    const seen: unknown[] = [];
    const helper = await serve({
      ScmCheckFormat: (payload) => {
        seen.push(payload);
        return Promise.resolve({ kind: "foreign", fsType: "xfs" });
      },
      ScmFormat: (payload) => {
        seen.push(payload);
        return Promise.resolve({});
      },
    });
    const scm = new HelperScm({ helper });
    expect(await scm.checkFormat(ram)).toEqual({ kind: "foreign", fsType: "xfs" });
    await scm.format(ram, { reformat: true });
    expect(seen).toEqual([{ storage: ram }, { storage: ram, reformat: true }]);
  });

  it("is made only for storage that the helper may touch", async () => {
    const status = {
      release: "x",
      caller: { uid: 1, gid: 1, pid: 1 },
      policy: { source: "p", mounts: ["/mnt/daos"], devices: [], pciAddresses: [] },
    };
    const helper = await serve({
      Status: () => Promise.resolve(status),
      ScmCheckFormat: () => Promise.resolve({ kind: "unformatted" }),
    });
    const never = () => Promise.reject(new Error("not directly"));
    const direct = {
      scan: never,
      checkFormat: () => Promise.resolve({ kind: "mounted" } as const),
      format: never,
      mount: never,
      unmount: never,
      prepare: never,
      reset: never,
    };
    const scm = await ForwardingScm.connect(direct, { helper });
    expect(await scm.checkFormat(ram)).toEqual({ kind: "unformatted" });
    expect(await scm.checkFormat({ ...ram, mount: "/dev/shm/daos" })).toEqual({ kind: "mounted" });
  });

  it("brings the progress of each device before the result", async () => {
    const progress = { device: "0000:81:00.0", step: "zero", fraction: 0.5, elapsedMs: 3, remainingMs: 3 };
    const helper = await serve({
      BdevFormat: ({ devices }, context) => {
        context.progress(progress);
        context.progress({ ...progress, fraction: 1, remainingMs: undefined });
        const fault = { domain: "bdev", code: 313, description: "no", resolution: "try" };
        return Promise.resolve({ results: [{ device: devices[0] ?? "" }, { device: "b", fault }] });
      },
    });
    const seen: unknown[] = [];
    const results = await new HelperBdev({ helper }).format(
      { class: "nvme", list: ["0000:81:00.0"] },
      { onProgress: (step) => seen.push(step) },
    );
    expect(seen).toEqual([progress, { ...progress, fraction: 1, remainingMs: undefined }]);
    expect(results).toMatchObject([{ device: "0000:81:00.0" }, { device: "b", fault: { code: 313 } }]);
  });

  it("is not made for devices that need no rights", async () => {
    const bdev = new HelperBdev({ helper: { kind: "socket", path: join(directory, "none") } });
    expect(await bdev.format({ class: "file", list: ["/tmp/b"] })).toEqual([{ device: "/tmp/b" }]);
    expect(await bdev.format({ class: "malloc", list: [] })).toEqual([]);
    await expect(bdev.reset()).rejects.toMatchObject({ code: FaultCode.helperUnavailable });
  });

  it("brings the helper's fault with its own code", async () => {
    const fault = new Fault({
      domain: "scm",
      code: FaultCode.scmMountFailed,
      description: "mount SCM",
      reason: "EBUSY",
      resolution: "fuser",
    });
    const helper = await serve({ ScmMount: () => Promise.reject(fault) });
    const error = await new HelperScm({ helper }).mount(ram).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Fault);
    expect(error).toMatchObject({
      code: 210,
      domain: "scm",
      message: "mount SCM: EBUSY",
      resolution: "fuser",
    });
  });

  it("is cancelled on the helper's side when the caller aborts", async () => {
    const caller = new AbortController();
    const cancelled = Promise.withResolvers<unknown>();
    const helper = await serve({
      ScmMount: (_payload, { signal }) => {
        caller.abort(new Error("enough"));
        return new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            cancelled.resolve(signal.reason);
            reject(signal.reason);
          });
        });
      },
    });
    await expect(new HelperScm({ helper }).mount(ram, { signal: caller.signal })).rejects.toThrow("enough");
    expect(await cancelled.promise).toMatchObject({ code: FaultCode.cancelled });
  });

  it("times out on the helper's side", async () => {
    const helper = await serve({
      ScmMount: (_payload, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
    });
    const request = { method: "ScmMount", payload: { storage: ram } } as const;
    await expect(execRequest(request, { helper, timeoutMs: 20 })).rejects.toMatchObject({
      code: FaultCode.timedOut,
      description: "ScmMount did not end within 20 ms",
    });
  });

  it("ends when the helper goes away without an answer", async () => {
    const helper = await listen((socket) => socket.destroy());
    await expect(new HelperScm({ helper }).scan()).rejects.toMatchObject({ code: FaultCode.helperFailed });
  });

  it.each([
    ["an answer of another version", { version: 9, error: null, result: {} }, "version 9"],
    ["an answer that is none", [], "an answer that is none"],
    ["a result that is none", { version: 1, error: null, result: { modules: 3 } }, "a result of ScmScan"],
  ])("refuses %s", async (_name, answer, text) => {
    const helper = await listen((socket) => socket.resume().end(encodeFrame(answer)));
    await expect(new HelperScm({ helper }).scan()).rejects.toMatchObject({
      code: FaultCode.helperMalformed,
      message: expect.stringContaining(text),
    });
  });

  it("is not handled when bytes follow it", async () => {
    let handled = false;
    const helper = await serve({
      Status: () => {
        handled = true;
        return Promise.reject(new Error("no"));
      },
    });
    const { createConnection } = await import("node:net");
    const frame = encodeFrame({
      version: 1,
      method: "Status" satisfies HelperMethod,
      timeoutMs: 60_000,
      payload: {},
    });
    await new Promise<void>((resolve) => {
      const socket = createConnection(helper.path, () => socket.write(Buffer.concat([frame, frame])));
      socket.resume().on("close", () => resolve());
    });
    expect(handled).toBe(false);
    expect(outcomes).toMatchObject([{ kind: "failed", fault: { code: FaultCode.cancelled } }]);
  });

  it.each([
    ["no bytes at all", Buffer.alloc(0), "nothing"],
    ["half a header", Buffer.from([0, 0]), "malformed"],
    ["half a body", encodeFrame({ version: 1 }).subarray(0, 9), "malformed"],
  ])("is over when the caller ends after %s", async (_name, bytes, kind) => {
    const helper = await serve({});
    const { createConnection } = await import("node:net");
    await new Promise<void>((resolve) => {
      const socket = createConnection(helper.path, () => socket.end(bytes));
      socket.resume().on("close", () => resolve());
    });
    expect(outcomes).toMatchObject([{ kind }]);
  });
});

describe("a helper that is a program", () => {
  let directory = "";
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "daos-pbin-"));
  });
  afterEach(() => rm(directory, { recursive: true }));

  async function program(text: string) {
    const path = join(directory, "helper");
    await writeFile(path, `#!/bin/sh\n${text}\n`);
    await chmod(path, 0o755);
    return { kind: "program", path } as const;
  }

  it("answers on its standard output", async () => {
    const answer = encodeFrame({ version: 1, error: null, result: { kind: "mounted" } });
    await writeFile(join(directory, "answer"), answer);
    const helper = await program(`cat "${directory}/answer"; cat > /dev/null`);
    expect(await new HelperScm({ helper }).checkFormat(ram)).toEqual({ kind: "mounted" });
  });

  it("has what it says on its standard error in the fault", async () => {
    const helper = await program("echo 'only for the group daos_admins' >&2; exit 1");
    await expect(new HelperScm({ helper }).scan()).rejects.toMatchObject({
      code: FaultCode.helperFailed,
      reason: "only for the group daos_admins",
    });
  });

  it("gets no environment", async () => {
    const helper = await program("echo PATH=$NODE_OPTIONS$HOME. >&2; exit 1");
    await expect(new HelperScm({ helper }).scan()).rejects.toMatchObject({ reason: "PATH=." });
  });

  it("may be missing", async () => {
    const helper = { kind: "program", path: join(directory, "nothing") } as const;
    await expect(new HelperScm({ helper }).scan()).rejects.toMatchObject({
      code: FaultCode.helperUnavailable,
    });
  });
});

import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fault, FaultCode } from "@daos/fault";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { type ExecRequestOptions, execRequest } from "./exec-request.ts";
import { encodeFrame } from "./frame.ts";
import { statusMethods } from "./helper-status.ts";
import type { HandlersOf } from "./method-table.ts";
import { absolutePath, count, digits, nothing } from "./schemas.ts";
import { type SocketHelper, socketHelper } from "./testing/socket-helper.ts";

/** A method table in place of a provider's. */
const methods = {
  Measure: { payload: nothing, result: z.object({ sizes: z.array(digits), notes: z.array(z.string()) }) },
  Move: { payload: z.strictObject({ path: absolutePath, to: count.optional() }), result: nothing },
  ...statusMethods,
};

const measure = (options: ExecRequestOptions) =>
  execRequest(methods, { method: "Measure", payload: {} }, options);
const move = (options: ExecRequestOptions) =>
  execRequest(methods, { method: "Move", payload: { path: "/mnt/daos" } }, options);

describe("execRequest() over a socket", () => {
  let directory = "";
  let server: Server | undefined;
  let helperOfTest: SocketHelper<typeof methods> | undefined;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "daos-pbin-"));
  });
  afterEach(async () => {
    server?.close();
    await helperOfTest?.[Symbol.asyncDispose]();
    helperOfTest = undefined;
    await rm(directory, { recursive: true });
  });

  async function listen(onConnection: (socket: Socket) => void) {
    const path = join(directory, "helper.sock");
    server = createServer({ allowHalfOpen: true }, onConnection);
    await new Promise<void>((resolve) => server?.listen(path, resolve));
    return { kind: "socket", path } as const;
  }

  async function serve(some: Partial<HandlersOf<typeof methods>>) {
    helperOfTest = await socketHelper(methods, some);
    return helperOfTest.location;
  }

  it("transports payload and result, with bigints", async () => {
    const seen: unknown[] = [];
    const answer = { sizes: [502599991296n, 0n], notes: ["a note"] };
    const helper = await serve({
      Measure: () => Promise.resolve(answer),
      Move: (payload) => {
        seen.push(payload);
        return Promise.resolve({});
      },
    });
    expect(await measure({ helper })).toEqual(answer);
    await execRequest(methods, { method: "Move", payload: { path: "/mnt/a", to: 3 } }, { helper });
    await execRequest(methods, { method: "Move", payload: { path: "/mnt/b", to: undefined } }, { helper });
    expect(seen).toEqual([{ path: "/mnt/a", to: 3 }, { path: "/mnt/b" }]);
  });

  it("reports the progress of each device before the result", async () => {
    const progress = { device: "0000:81:00.0", step: "zero", fraction: 0.5, elapsedMs: 3, remainingMs: 3 };
    const helper = await serve({
      Move: (_payload, context) => {
        context.progress(progress);
        context.progress({ ...progress, fraction: 1, remainingMs: undefined });
        return Promise.resolve({});
      },
    });
    const seen: unknown[] = [];
    await move({ helper, onProgress: (step) => seen.push(step) });
    expect(seen).toEqual([progress, { ...progress, fraction: 1, remainingMs: undefined }]);
  });

  it("throws the helper's fault with its own code", async () => {
    const fault = new Fault({
      domain: "scm",
      code: FaultCode.scmMountFailed,
      description: "mount SCM",
      reason: "EBUSY",
      resolution: "fuser",
    });
    const helper = await serve({ Move: () => Promise.reject(fault) });
    const error = await move({ helper }).catch((reason: unknown) => reason);
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
      Move: (_payload, { signal }) => {
        caller.abort(new Error("enough"));
        return new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            cancelled.resolve(signal.reason);
            reject(signal.reason);
          });
        });
      },
    });
    await expect(move({ helper, signal: caller.signal })).rejects.toThrow("enough");
    expect(await cancelled.promise).toMatchObject({ code: FaultCode.cancelled });
  });

  it("times out on the helper's side", async () => {
    const helper = await serve({
      Move: (_payload, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        }),
    });
    await expect(move({ helper, timeoutMs: 20 })).rejects.toMatchObject({
      code: FaultCode.timedOut,
      description: "Move did not end within 20 ms",
    });
  });

  it("ends when the helper goes away without an answer", async () => {
    const helper = await listen((socket) => socket.destroy());
    await expect(measure({ helper })).rejects.toMatchObject({ code: FaultCode.helperFailed });
  });

  it.each([
    ["an answer of another version", { version: 9, error: null, result: {} }, "version 9"],
    ["an unreadable answer", [], "an unreadable answer"],
    [
      "an unreadable result",
      { version: 1, error: null, result: { sizes: 3 } },
      "an unreadable result of Measure",
    ],
  ])("refuses %s", async (_name, answer, text) => {
    const helper = await listen((socket) => socket.resume().end(encodeFrame(answer)));
    await expect(measure({ helper })).rejects.toMatchObject({
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
      method: "Status",
      timeoutMs: 60_000,
      payload: {},
    });
    await new Promise<void>((resolve) => {
      const socket = createConnection(helper.path, () => socket.write(Buffer.concat([frame, frame])));
      socket.resume().on("close", () => resolve());
    });
    expect(handled).toBe(false);
    expect(helperOfTest?.outcomes).toMatchObject([{ kind: "failed", fault: { code: FaultCode.cancelled } }]);
  });

  it.each([
    ["no bytes at all", Buffer.alloc(0), "nothing"],
    ["half a header", Buffer.from([0, 0]), "malformed"],
    ["half a body", encodeFrame({ version: 1 }).subarray(0, 9), "malformed"],
  ])("ends the work when the caller ends after %s", async (_name, bytes, kind) => {
    const helper = await serve({});
    const { createConnection } = await import("node:net");
    await new Promise<void>((resolve) => {
      const socket = createConnection(helper.path, () => socket.end(bytes));
      socket.resume().on("close", () => resolve());
    });
    expect(helperOfTest?.outcomes).toMatchObject([{ kind }]);
  });
});

describe("execRequest() with a helper program", () => {
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

  it("reads the answer from its standard output", async () => {
    const answer = encodeFrame({ version: 1, error: null, result: { sizes: [], notes: [] } });
    await writeFile(join(directory, "answer"), answer);
    const helper = await program(`cat "${directory}/answer"; cat > /dev/null`);
    expect(await measure({ helper })).toEqual({ sizes: [], notes: [] });
  });

  it("puts its standard error into the fault", async () => {
    const helper = await program("echo 'only for the group daos_admins' >&2; exit 1");
    await expect(measure({ helper })).rejects.toMatchObject({
      code: FaultCode.helperFailed,
      reason: "only for the group daos_admins",
    });
  });

  it("passes no environment to it", async () => {
    const helper = await program("echo PATH=$NODE_OPTIONS$HOME. >&2; exit 1");
    await expect(measure({ helper })).rejects.toMatchObject({ reason: "PATH=." });
  });

  it("fails when it is missing", async () => {
    const helper = { kind: "program", path: join(directory, "nothing") } as const;
    await expect(measure({ helper })).rejects.toMatchObject({
      code: FaultCode.helperUnavailable,
    });
  });
});

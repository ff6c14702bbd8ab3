import { setImmediate } from "node:timers/promises";
import { drpcMethods } from "@daos/drpc";
import { Fault, FaultCode } from "@daos/fault";
import type { Superblock } from "@daos/superblock";
import { describe, expect, it } from "vitest";
import type { JoinResult } from "./data-plane/set-up-engine.ts";
import { servingProblem } from "./instance-state.ts";
import { FakeEngine } from "./testing/fake-engine.ts";

const { signal } = new AbortController();

function failure(description: string): Fault {
  return new Fault({
    domain: "engine",
    code: FaultCode.scmFormatFailed,
    description,
    resolution: "none",
  });
}

describe("EngineInstance.format", () => {
  it("is refused until the engine has been started on what was formatted", async () => {
    const opening = Promise.withResolvers<void>();
    using engine = new FakeEngine({ unformatted: true, options: { onStorageReady: () => opening.promise } });
    const { instance } = engine;
    await engine.reached("awaiting format");
    expect(await instance.format({ reformat: false, signal })).toEqual({ mount: "/mnt/daos0", bdevs: [] });
    expect(await instance.format({ reformat: true, signal })).toMatchObject({
      scmFault: { code: FaultCode.storageFormatNotAwaited },
    });
    opening.resolve();
    await engine.reached("serving");
    expect(await instance.format({ reformat: true, signal })).toMatchObject({
      scmFault: { code: FaultCode.storageFormatOnRunningSystem },
    });
  });

  it("waits until the storage is open when it is requested right after the start", async () => {
    const looked = Promise.withResolvers<string>();
    using engine = new FakeEngine({ unformatted: true, storage: { open: () => looked.promise } });
    const formatted = engine.instance.format({ reformat: false, signal });
    looked.resolve("SCM is not formatted");
    expect(await formatted).toEqual({ mount: "/mnt/daos0", bdevs: [] });
  });

  it("is not lost when it is requested while the storage is opened again", async () => {
    const again = Promise.withResolvers<string>();
    const looks = [Promise.resolve("SCM is not formatted"), again.promise];
    using engine = new FakeEngine({
      unformatted: true,
      storage: { open: () => looks.shift() ?? Promise.resolve(undefined) },
    });
    const { instance } = engine;
    await engine.reached("awaiting format");
    instance.start();
    await setImmediate();
    const formatted = instance.format({ reformat: false, signal });
    await setImmediate();
    again.resolve("SCM is not formatted");
    expect(await formatted).toEqual({ mount: "/mnt/daos0", bdevs: [] });
    await engine.reached("serving");
  });

  it("is refused when the storage cannot be opened", async () => {
    const never = new Promise<undefined>(() => {});
    const caller = new AbortController();
    using engine = new FakeEngine({ unformatted: true, storage: { open: () => never } });
    const formatted = engine.instance.format({ reformat: false, signal: caller.signal });
    caller.abort(new Error("it was asked for long ago"));
    expect(await formatted).toMatchObject({ scmFault: { code: FaultCode.storageFormatNotAwaited } });
  });

  it("can be repeated when it has failed, and when the superblock could not be made", async () => {
    const scmFault = failure("mkfs.ext4 failed");
    const outcomes = [{ mount: "/mnt/daos0", scmFault, bdevs: [] }];
    using engine = new FakeEngine({
      unformatted: true,
      storage: {
        format: async () => outcomes.shift() ?? { mount: "/mnt/daos0", bdevs: [] },
        createSuperblock: () => Promise.reject(failure("no space left")),
      },
    });
    const { instance } = engine;
    await engine.reached("awaiting format");
    expect(await instance.format({ reformat: false, signal })).toMatchObject({ scmFault });
    expect(instance.state.kind).toBe("awaiting format");
    await instance.format({ reformat: false, signal });
    await engine.reached("failed");
    instance.start();
    await engine.reached("awaiting format");
  });
});

describe("EngineInstance, when the namespace of its storage is absent at the start,", () => {
  it("looks for it again, and serves when it appears, without a format", async () => {
    const absent = Promise.resolve("there is no namespace with the uuid");
    const looks: Promise<string | undefined>[] = [absent, absent, Promise.resolve(undefined)];
    const formats: unknown[] = [];
    using engine = new FakeEngine({
      options: { autoFormat: true },
      storage: {
        isAbsent: true,
        open: () => looks.shift() ?? Promise.resolve(undefined),
        format: async ({ reformat }) => {
          formats.push(reformat);
          return { mount: "/mnt/daos0", scmFault: failure("there is no namespace"), bdevs: [] };
        },
      },
    });
    await engine.reached("awaiting format");
    await engine.endPause(5_000);
    await expect.poll(() => looks).toHaveLength(1);
    await engine.endPause(5_000);
    await engine.reached("serving");
    // FakeEngine has a superblock from the start: the storage is not new.
    expect(formats).toEqual([]);
  });

  it("does not look for it during a format", async () => {
    const end = Promise.withResolvers<void>();
    using engine = new FakeEngine({
      unformatted: true,
      storage: {
        isAbsent: true,
        format: async () => {
          await end.promise;
          return { mount: "/mnt/daos0", bdevs: [] };
        },
      },
    });
    const { instance } = engine;
    await engine.reached("awaiting format");
    const formatted = instance.format({ reformat: true, signal });
    await engine.endPause(5_000);
    await setImmediate();
    expect(instance.state.kind).toBe("formatting");
    end.resolve();
    expect(await formatted).toEqual({ mount: "/mnt/daos0", bdevs: [] });
    await engine.reached("serving");
  });
});

describe("EngineInstance, when its engine ends while it joins", () => {
  it("stops its join, and is started again only when the join has ended", async () => {
    const joins: { readonly signal: AbortSignal; readonly joined: PromiseWithResolvers<JoinResult> }[] = [];
    const written: Superblock[] = [];
    using engine = new FakeEngine({
      storage: { writeSuperblock: async (superblock) => void written.push(superblock) },
      options: {
        join: (_request, wait) => {
          const joined = Promise.withResolvers<JoinResult>();
          joins.push({ signal: wait.signal, joined });
          return joined.promise;
        },
      },
    });
    await engine.reached("starting");
    await expect.poll(() => joins).toHaveLength(1);
    engine.process.crash();
    await expect.poll(() => joins[0]?.signal.aborted).toBe(true);
    expect(engine.instance.state.kind).toBe("starting");
    joins[0]?.joined.reject(joins[0].signal.reason);
    await engine.reached("failed");
    expect(engine.instance.state).toMatchObject({ fault: { code: FaultCode.engineExited } });
    expect(written).toEqual([]);
  });
});

describe("EngineInstance, when its process cannot be started", () => {
  const missing = failure("the controller 0000:81:00.0 is missing");

  it("tries again an engine that has served", async () => {
    const preparations: (() => Promise<undefined>)[] = [async () => undefined, () => Promise.reject(missing)];
    using engine = new FakeEngine({
      storage: { prepareBdevs: () => preparations.shift()?.() ?? Promise.resolve(undefined) },
    });
    const { instance } = engine;
    await engine.reached("serving");
    engine.process.crash();
    await engine.endPause(1_000);
    await engine.endPause(2_000);
    await engine.reached("serving");
    expect(instance.restarts).toBe(1);
  });

  it("fails at once before it has served", async () => {
    using engine = new FakeEngine({ storage: { prepareBdevs: () => Promise.reject(missing) } });
    await engine.reached("failed");
    expect(engine.instance.state).toMatchObject({ fault: missing });
  });
});

describe("EngineInstance.stop", () => {
  it("ends the pause before a start, and with it the start", async () => {
    using engine = new FakeEngine();
    const { instance } = engine;
    await engine.reached("serving");
    engine.process.crash();
    await engine.reached("restarting");
    expect(await instance.stop({ force: false, signal })).toBe(0);
    expect(instance.state.kind).toBe("stopped");
    await instance.erase({ signal });
    await engine.reached("awaiting format");
    expect(engine.processes).toHaveLength(1);
  });

  it("waits for a process that is just being started", async () => {
    const preparing = Promise.withResolvers<undefined>();
    using engine = new FakeEngine({ storage: { prepareBdevs: () => preparing.promise } });
    const { instance } = engine;
    await engine.reached("starting");
    const stopped = instance.stop({ force: false, signal });
    preparing.resolve(undefined);
    expect(await stopped).toBe(0);
    expect(instance.state.kind).toBe("stopped");
    expect(engine.process.stops).not.toEqual([]);
  });

  it("is carried out when the caller does not wait for it", async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<never>();
    const caller = new AbortController();
    using engine = new FakeEngine({
      client: {
        call: (method) => {
          if (method.name !== drpcMethods.killRank.name) return Promise.resolve({ status: 0 } as never);
          asked.resolve();
          return answer.promise;
        },
      },
    });
    await engine.reached("serving");
    const stopped = engine.instance.stop({ force: false, signal: caller.signal });
    await asked.promise;
    caller.abort(new Error("the caller has gone"));
    await expect(stopped).rejects.toThrow("the caller has gone");
    answer.reject(failure("no answer"));
    await engine.reached("stopped");
    expect(engine.process.stops).toEqual([10_000]);
  });

  it("that the engine refuses leaves it as it was, started again when it dies", async () => {
    using engine = new FakeEngine({
      client: {
        call: ({ name }) =>
          Promise.resolve({ status: name === drpcMethods.killRank.name ? -1012 : 0 } as never),
      },
    });
    await engine.reached("serving");
    expect(await engine.instance.stop({ force: false, signal })).toBe(-1012);
    engine.process.crash();
    await engine.endPause(1_000);
    await engine.reached("serving");
    expect(await engine.instance.stop({ force: true, signal })).toBe(0);
    expect(engine.process.stops).toEqual([1_000]);
  });
});

describe("EngineInstance.erase", () => {
  it.each([
    ["then waits for a format", undefined, "awaiting format"],
    ["starts it as it was when that fails", failure("read-only file system"), "serving"],
  ] as const)("lets a start wait that is asked for meanwhile, and %s", async (_, fault, kind) => {
    const released = Promise.withResolvers<void>();
    using engine = new FakeEngine({ options: { onStorageReleased: () => released.promise } });
    const { instance } = engine;
    await engine.reached("serving");
    await instance.stop({ force: false, signal });
    const erased = instance.erase({ signal });
    instance.start();
    await setImmediate();
    expect(instance.state.kind).toBe("stopped");
    if (fault === undefined) {
      released.resolve();
      await erased;
    } else {
      released.reject(fault);
      await expect(erased).rejects.toBe(fault);
    }
    await engine.reached(kind);
    expect(engine.processes).toHaveLength(fault === undefined ? 1 : 2);
  });
});

describe("EngineInstance.call", () => {
  it("reaches an engine that has closed the connection and runs on", async () => {
    const connections: { isOpen: boolean }[] = [];
    using engine = new FakeEngine({
      parts: {
        connect: async () => {
          const number = connections.length;
          const connection = {
            isOpen: true,
            call: () =>
              connection.isOpen
                ? Promise.resolve({ status: number } as never)
                : Promise.reject(failure("connection lost")),
            close: () => {},
          };
          connections.push(connection);
          return connection;
        },
      },
    });
    const { instance } = engine;
    await engine.reached("serving");
    for (const connection of connections) connection.isOpen = false;
    expect(await instance.call(drpcMethods.setUp, undefined, { signal })).toEqual({ status: 1 });
    expect(engine.processes).toHaveLength(1);
  });
});

describe("EngineInstance, when its storage is lost", () => {
  const lost = new Fault({
    domain: "storage",
    code: FaultCode.storageLost,
    description: "/mnt/daos0 is not mounted any more",
    resolution: "mount it",
  });

  it("is not started again by itself, and is when an operator has made the storage available", async () => {
    let isThere = true;
    using engine = new FakeEngine({
      storage: { verify: () => (isThere ? Promise.resolve() : Promise.reject(lost)) },
    });
    const { instance } = engine;
    await engine.reached("serving");
    isThere = false;
    engine.process.crash();
    await engine.endPause(1_000);
    await engine.reached("failed");
    expect(instance.state).toMatchObject({ fault: lost });
    expect(engine.processes).toHaveLength(1);
    instance.start();
    await engine.reached("starting");
    await engine.reached("failed");
    expect(engine.processes).toHaveLength(1);
    isThere = true;
    instance.start();
    await engine.reached("serving");
    expect(engine.processes).toHaveLength(2);
  });

  it("does not join when that happens while its process starts", async () => {
    const joins: unknown[] = [];
    let looks = 0;
    using engine = new FakeEngine({
      storage: { verify: () => (++looks === 1 ? Promise.resolve() : Promise.reject(lost)) },
      options: {
        join: (request) => {
          joins.push(request);
          return Promise.reject(lost);
        },
      },
    });
    await engine.reached("failed");
    expect(engine.instance.state).toMatchObject({ fault: lost });
    expect(engine.process.stops).not.toEqual([]);
    expect(joins).toEqual([]);
  });

  it("says so while its process runs, until the storage is there again", async () => {
    let isThere = true;
    using engine = new FakeEngine({
      options: { verifyStorage: () => (isThere ? Promise.resolve() : Promise.reject(lost)) },
    });
    const { instance } = engine;
    await engine.reached("serving");
    const problem = () => (instance.state.kind === "serving" ? servingProblem(instance.state) : "no service");
    expect(problem()).toBeUndefined();
    isThere = false;
    await engine.endPause(5_000);
    await expect.poll(problem).toBe(lost.message);
    isThere = true;
    await engine.endPause(5_000);
    await expect.poll(problem).toBeUndefined();
    expect(engine.processes).toHaveLength(1);
  });

  it("is used again without a format when it is there again and the engine is started", async () => {
    let isThere = true;
    using engine = new FakeEngine({
      storage: { open: async () => (isThere ? undefined : "/mnt/daos0 is not mounted any more") },
    });
    const { instance } = engine;
    await engine.reached("serving");
    await instance.stop({ force: false, signal });
    isThere = false;
    instance.start();
    await engine.reached("awaiting format");
    isThere = true;
    instance.start();
    await engine.reached("serving");
    expect(engine.processes).toHaveLength(2);
  });

  it("is not formatted by itself, and what is open in the storage is closed before it is formatted", async () => {
    const steps: string[] = [];
    let isThere = true;
    using engine = new FakeEngine({
      storage: {
        open: async () => (isThere ? undefined : "/mnt/daos0 is not mounted any more"),
        format: async () => {
          steps.push("format");
          isThere = true;
          return { mount: "/mnt/daos0", bdevs: [] };
        },
      },
      options: { autoFormat: true, onStorageReleased: async () => void steps.push("released") },
    });
    const { instance } = engine;
    await engine.reached("serving");
    await instance.stop({ force: false, signal });
    isThere = false;
    instance.start();
    await engine.reached("awaiting format");
    expect(steps).toEqual([]);
    expect(await instance.format({ reformat: false, signal })).toEqual({ mount: "/mnt/daos0", bdevs: [] });
    await engine.reached("serving");
    expect(steps).toEqual(["released", "format"]);
  });
});

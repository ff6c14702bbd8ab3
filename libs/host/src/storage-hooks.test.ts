import { FaultCode } from "@daos/fault";
import { describe, expect, it } from "vitest";
import { StorageHooks } from "./storage-hooks.ts";

type Instance = Parameters<StorageHooks["ready"]>[0];

/** An instance with a superblock; what the hooks do not read is missing. */
function instance(index: number): Instance {
  return { index, config: { scm: { mount: `/mnt/daos${index}` } }, superblock: { uuid: "u" } } as Instance;
}

function setUp(options: { readonly provisionOnly?: boolean; readonly problem?: Error } = {}) {
  const calls: string[] = [];
  const management = {
    storageReady: async (mount: string) => {
      calls.push(`open ${mount}`);
      if (options.problem !== undefined) throw options.problem;
    },
    storageReleased: async () => void calls.push("close"),
    lossesIn: async (mount: string) => [`${mount}/members`],
  };
  const engine = {
    takeStorage: async (mount: string) => void calls.push(`take ${mount}`),
    releaseStorage: (mount: string) => void calls.push(`release ${mount}`),
  };
  const hooks = new StorageHooks(management, { provisionOnly: options.provisionOnly ?? false });
  return { hooks, engine, calls };
}

describe("StorageHooks", () => {
  const { signal } = new AbortController();

  it.each([
    {
      name: "opens the members in the first engine's storage",
      index: 0,
      calls: ["take /mnt/daos0", "open /mnt/daos0"],
    },
    { name: "only takes the storage of another engine", index: 1, calls: ["take /mnt/daos1"] },
    { name: "leaves storage alone that root prepares", index: 0, provisionOnly: true, calls: [] },
  ])("StorageHooks.ready() $name", async ({ index, provisionOnly, calls: expected }) => {
    const { hooks, engine, calls } = setUp({ provisionOnly: provisionOnly === true });
    await hooks.ready(instance(index), engine, { signal });
    expect(calls).toEqual(expected);
  });

  it("StorageHooks.fatal rejects when the members cannot be opened, unless the host stops", async () => {
    const problem = new Error("the members are elsewhere");
    const stopping = setUp({ problem });
    const aborted = { signal: AbortSignal.abort() };
    await expect(stopping.hooks.ready(instance(0), stopping.engine, aborted)).rejects.toBe(problem);
    await expect(Promise.race([stopping.hooks.fatal, Promise.resolve("runs")])).resolves.toBe("runs");

    const { hooks, engine } = setUp({ problem });
    await expect(hooks.ready(instance(0), engine, { signal })).rejects.toBe(problem);
    await expect(hooks.fatal).rejects.toBe(problem);
  });

  it("StorageHooks.released() closes the members before it gives the first engine's storage back", async () => {
    const { hooks, engine, calls } = setUp();
    await hooks.released(instance(0), engine);
    await hooks.released(instance(1), engine);
    expect(calls).toEqual(["close", "release /mnt/daos0", "release /mnt/daos1"]);
  });

  it("StorageHooks.verify() throws storageLost for the first engine when the members' store lacks something", async () => {
    const { hooks } = setUp();
    await expect(hooks.verify(instance(0))).rejects.toMatchObject({ code: FaultCode.storageLost });
    await hooks.verify(instance(1));
  });
});

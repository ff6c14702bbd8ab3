import { NIL_RANK, type Rank } from "@daos/rank";
import type { Superblock } from "@daos/superblock";
import { describe, expect, it } from "vitest";
import { type SetUpPorts, setUpEngine } from "./set-up-engine.ts";

const ready = { uri: "ofi+sockets://127.0.0.1:31416", contexts: 1, socket: "/run/engine.sock" };
const plain: Superblock = {
  version: 0,
  uuid: "4d0d1a5c-4d3a-4a38-8f0e-2f8b4d7d9b1e",
  system: "daos_server",
  validRank: false,
  ms: false,
  createMs: false,
  bootstrapMs: false,
};
const bootstrap: Superblock = {
  ...plain,
  rank: 0 as Rank,
  validRank: true,
  ms: true,
  createMs: true,
  bootstrapMs: true,
};

/** Records the calls in their order; every step answers with the status given for it. */
class FakeEngine implements SetUpPorts {
  readonly calls: string[] = [];
  readonly statuses: Readonly<Record<string, number>>;
  constructor(statuses: Readonly<Record<string, number>> = {}) {
    this.statuses = statuses;
  }
  #step(name: string, detail = ""): Promise<number> {
    this.calls.push(`${name}${detail}`);
    return Promise.resolve(this.statuses[name] ?? 0);
  }
  join = async ({ rank, recorded }: { readonly rank: Rank; readonly recorded: boolean }): Promise<Rank> => {
    this.calls.push(`${recorded ? "record" : "join"} ${rank === NIL_RANK ? "any" : rank}`);
    return (rank === NIL_RANK ? 5 : rank) as Rank;
  };
  setRank = (rank: Rank) => this.#step("setRank", ` ${rank}`);
  createMs = (request: { readonly bootstrap: boolean; readonly address: string }) =>
    this.#step("createMs", ` ${request.bootstrap} ${request.address}`);
  startMs = () => this.#step("startMs");
  setUp = () => this.#step("setUp");
  writeSuperblock = async ({ rank, validRank, createMs }: Superblock) => {
    this.calls.push(`write rank=${rank} valid=${validRank} createms=${createMs}`);
  };
}

const options = { msAddress: "127.0.0.1:10001", signal: new AbortController().signal };

describe("setUpEngine", () => {
  it.each<[string, Superblock, readonly string[]]>([
    [
      "the first replica bootstraps without a join",
      bootstrap,
      [
        "setRank 0",
        "createMs true 127.0.0.1:10001",
        "write rank=0 valid=true createms=false",
        "startMs",
        "setUp",
        "record 0",
      ],
    ],
    [
      "a started replica only starts again",
      { ...bootstrap, createMs: false, bootstrapMs: false },
      ["setRank 0", "startMs", "setUp", "record 0"],
    ],
    [
      "a new engine joins for a rank",
      plain,
      ["join any", "write rank=5 valid=true createms=false", "setRank 5", "setUp"],
    ],
    [
      "an engine that has a rank joins again with it",
      { ...plain, rank: 3 as Rank, validRank: true },
      ["join 3", "setRank 3", "setUp"],
    ],
    [
      "another replica joins and creates its replica without bootstrap",
      { ...plain, ms: true, createMs: true },
      [
        "join any",
        "write rank=5 valid=true createms=true",
        "setRank 5",
        "createMs false 127.0.0.1:10001",
        "write rank=5 valid=true createms=false",
        "startMs",
        "setUp",
      ],
    ],
  ])("%s", async (_name, superblock, expected) => {
    const engine = new FakeEngine();
    await setUpEngine(ready, superblock, engine, options);
    expect(engine.calls).toEqual(expected);
  });

  it.each([-1004, -1008])(
    "goes on when the replica was created before a crash (status %i)",
    async (status) => {
      const engine = new FakeEngine({ createMs: status });
      await setUpEngine(ready, bootstrap, engine, options);
      expect(engine.calls).toContain("write rank=0 valid=true createms=false");
      expect(engine.calls.slice(-2)).toEqual(["setUp", "record 0"]);
    },
  );

  it.each([
    ["setRank", "set rank 0", ["setRank 0"]],
    ["createMs", "create the management service replica", ["setRank 0", "createMs true 127.0.0.1:10001"]],
  ])("stops at a failing %s and keeps the superblock as it is", async (step, attempted, calls) => {
    const engine = new FakeEngine({ [step]: -1007 });
    await expect(setUpEngine(ready, bootstrap, engine, options)).rejects.toThrow(
      `${attempted}: no space left`,
    );
    expect(engine.calls).toEqual(calls);
  });
});

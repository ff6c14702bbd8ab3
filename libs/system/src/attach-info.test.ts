import { create, toBinary } from "@bufbuild/protobuf";
import { memberOf } from "@daos/membership/testing";
import { mgmt } from "@daos/proto";
import { describe, expect, it } from "vitest";
import { attachInfo, attachRanks } from "./attach-info.ts";

const { signal } = new AbortController();

describe("attachRanks", () => {
  it("gives the joined ranks, and none of any other state or without a fabric address", () => {
    const members = [
      memberOf(0),
      memberOf(1, { state: "unresponsive" }),
      memberOf(2, { state: "excluded" }),
      memberOf(3, { uri: "" }),
      memberOf(4, { state: "joining" }),
      memberOf(5),
    ];
    expect(attachRanks(members).map(({ rank }) => rank)).toEqual([0, 5]);
  });

  it.each([400, 1_000, 4_096])("fits %i ranks into the dRPC packet of an agent, spread over all", (count) => {
    const members = Array.from({ length: count }, (_, rank) =>
      memberOf(rank, { uri: `ofi+verbs;ofi_rxm://10.10.${rank >> 8}.${rank & 255}:31416` }),
    );
    const psrs = attachRanks(members);
    const schema = mgmt.GetAttachInfoRespSchema;
    expect(toBinary(schema, create(schema, { psrs: [...psrs] })).length).toBeLessThanOrEqual(16_000);
    expect(psrs.length).toBeGreaterThanOrEqual(200);
    expect(psrs[0]?.rank).toBe(0);
    expect(psrs.at(-1)?.rank).toBeGreaterThan(0.9 * count);
  });
});

describe("attachInfo", () => {
  it.each([
    ["the members cannot be read", () => Promise.reject(new Error("etcd is down"))],
    ["none is joined", () => Promise.resolve([memberOf(0, { state: "stopped" })])],
  ])("gives nothing when %s", async (_, members) => {
    expect(await attachInfo({ members }, { signal })).toBeUndefined();
  });

  it("gives the same list until a member changes", async () => {
    let list = [memberOf(0)];
    const ask = () => attachInfo({ members: async () => list }, { signal });
    const first = await ask();
    expect(await ask()).toBe(first);
    list = [memberOf(1)];
    expect(await ask()).toMatchObject([{ rank: 1 }]);
  });

  it("ends with its caller", async () => {
    const members = () => Promise.reject(new Error("etcd is down"));
    await expect(attachInfo({ members }, { signal: AbortSignal.abort(new Error("gone")) })).rejects.toThrow(
      "gone",
    );
  });
});

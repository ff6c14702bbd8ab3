import { describe, expect, it } from "vitest";
import { lastReplicas } from "./confirm-last-replica.ts";

const member = (
  rank: number,
  host: string,
  engineNumber?: number,
  state: "joined" | "excluded" = "joined",
) => ({
  rank,
  address: `${host}:10001`,
  state,
  engineNumber,
});

describe("lastReplicas()", () => {
  const two = [member(0, "a", 1), member(1, "a", 2), member(2, "b", 1), member(3, "c", 1)];
  it.each([
    ["the first engine of the only access point", two, ["a"], [0], [], [0]],
    ["its second engine", two, ["a"], [1], [], []],
    ["the host of the only access point", two, ["a"], [], ["a:10001"], [0]],
    ["one of two access points", two, ["a", "b"], [0], [], []],
    ["both access points", two, ["a", "b"], [0], ["b:10001"], [0, 2]],
    ["another host", two, ["a"], [3], [], []],
    [
      "the only one that is left",
      [member(0, "a", 1, "excluded"), member(2, "b", 1)],
      ["a", "b"],
      [2],
      [],
      [2],
    ],
    ["a rank of a server that does not number its engines", [member(4, "a")], ["a"], [4], [], [4]],
    ["a rank where the access points are not known", two, [], [0], [], []],
  ])("lastReplicas() recognizes the selection of %s", (_what, members, accessPoints, ranks, hosts, last) => {
    const chosen = { ranks: new Set(ranks), hosts: new Set(hosts) };
    expect(lastReplicas(members, new Set(accessPoints.map((host) => `${host}:10001`)), chosen)).toEqual(last);
  });
});

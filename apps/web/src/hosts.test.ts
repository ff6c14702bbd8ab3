import { ctl } from "@daos/proto";
import { describe, expect, it } from "vitest";
import { compareAddresses, hostFilter, parentDomain, shortNames, worstState } from "./hosts.ts";

const { MEMBER_ERRORED, MEMBER_EXCLUDED, MEMBER_JOINED } = ctl.MemberState;

describe("hostFilter()", () => {
  const cases: readonly (readonly [string, string, readonly number[], boolean])[] = [
    ["", "node1:10001", [0], true],
    ["node1", "node1:10001", [0], true],
    ["NODE1", "node17:10001", [0], true],
    ["node[1-8]", "node8:10001", [0], true],
    ["node[1-8]", "node9:10001", [0], false],
    ["node[1-8,12]", "node12.cluster:10001", [0], true],
    ["node[1-8]", "node80:10001", [0], false],
    ["10.0.0.[4-6]:10001", "10.0.0.5:10001", [0], true],
    ["10.0.0.[4-6]:10001", "10.0.0.5:10002", [0], false],
    ["rank:7", "node4:10001", [6, 7], true],
    ["rank:7", "node4:10001", [6, 77], false],
    ["node3, node5", "node5:1", [0], true],
    ["node[1-", "node[1-:1", [0], true],
  ];
  it.each(cases)("hostFilter(%j) on %s with ranks %j is %s", (text, address, ranks, fits) => {
    expect(hostFilter(text)(address, ranks)).toBe(fits);
  });
});

describe("worstState()", () => {
  it("worstState() returns the state that needs attention most", () => {
    const members = [{ state: MEMBER_JOINED }, { state: MEMBER_ERRORED }, { state: MEMBER_EXCLUDED }];
    expect(worstState(members)).toBe("errored");
    expect(worstState([{ state: MEMBER_JOINED }])).toBe("joined");
    expect(worstState([])).toBe("unknown");
  });
});

describe("names of hosts", () => {
  it("parentDomain() removes the host", () => {
    expect(["/rack1/node3", "/node3", ""].map(parentDomain)).toEqual(["/rack1", "", ""]);
  });

  it("shortNames() removes a port that all hosts have", () => {
    expect(["a:1", "b:1"].map(shortNames(["a:1", "b:1"]))).toEqual(["a", "b"]);
    expect(["a:1", "a:2"].map(shortNames(["a:1", "a:2"]))).toEqual(["a:1", "a:2"]);
  });

  it("compareAddresses() sorts numbers by value", () => {
    expect(["node10:1", "node9:1"].sort(compareAddresses)).toEqual(["node9:1", "node10:1"]);
  });
});

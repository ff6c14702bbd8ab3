import { Fault, FaultCode } from "@daos/fault";
import { parseHostAddress } from "@daos/hostlist";
import { parseRank } from "@daos/rank";
import { describe, expect, it } from "vitest";
import { causeKey, type Subject } from "./same-cause.ts";

function fault(reason: string): Fault {
  return new Fault({
    domain: "bdev",
    code: FaultCode.unknown,
    description: "format storage",
    reason,
    resolution: "look in the log",
  });
}

const on = (host: string, rank?: number): Subject => ({
  host: parseHostAddress(host),
  rank: rank === undefined ? undefined : parseRank(rank),
});

describe("causeKey()", () => {
  it.each([
    {
      name: "equal for failures that name their own host",
      one: ["no answer of node1:10001", on("node1")],
      other: ["no answer of node10:10001", on("node10")],
      equal: true,
    },
    {
      name: "equal for failures that name their own IPv6 address",
      one: ["no answer of [fd00::1]:10001", on("[fd00::1]")],
      other: ["no answer of [fd00::2]:10001", on("[fd00::2]")],
      equal: true,
    },
    {
      name: "equal for failures that name their own rank",
      one: ["rank 1 does not answer", on("node1", 1)],
      other: ["rank 11 does not answer", on("node2", 11)],
      equal: true,
    },
    {
      name: "not equal for failures of different devices",
      one: ["0000:81:00.0 is in use", on("node1")],
      other: ["0000:82:00.0 is in use", on("node2")],
      equal: false,
    },
    {
      name: "not equal for failures that name different other hosts",
      one: ["the leader is node8:10001", on("node1")],
      other: ["the leader is node9:10001", on("node2")],
      equal: false,
    },
    {
      name: "not equal for a failure of a host and one of a member",
      one: ["no space", on("node1")],
      other: ["no space", on("node1", 1)],
      equal: false,
    },
  ] as const)("causeKey() is $name", ({ one, other, equal }) => {
    expect(causeKey(fault(one[0]), one[1]) === causeKey(fault(other[0]), other[1])).toBe(equal);
  });
});

import type { MemberStatus } from "@daos/control-client";
import { expect, it } from "vitest";
import { memberChanges } from "./member-changes.ts";

const member = (rank: number, more: Partial<MemberStatus> = {}): MemberStatus => ({
  rank,
  uuid: `u${rank}`,
  address: "10.0.0.1:10001",
  state: "joined",
  reason: "",
  since: new Date(1000),
  incarnation: 1,
  fabricUri: "ofi+sockets://10.0.0.1:31416",
  faultDomain: "/node1",
  engineNumber: 1,
  ...more,
});
const byRank = (...members: readonly MemberStatus[]) => new Map(members.map((one) => [one.rank, one]));

const CHANGES: readonly (readonly [string, Partial<MemberStatus>])[] = [
  ["state", { state: "errored" }],
  ["reason", { reason: "killed" }],
  ["uuid", { uuid: "other" }],
  ["address", { address: "10.0.0.2:10001" }],
  ["incarnation", { incarnation: 2 }],
  ["since", { since: new Date(2000) }],
  ["fabricUri", { fabricUri: "other" }],
  ["faultDomain", { faultDomain: "/rack1/node1" }],
];

it.each(CHANGES)("memberChanges() names a member whose %s has changed, and no other", (_field, more) => {
  const changes = memberChanges(byRank(member(0), member(1)), byRank(member(0), member(1, more)));
  expect(changes).toEqual({ changed: [member(1, more)], gone: [] });
});

it("memberChanges() names members that are new and ranks that are gone", () => {
  const changes = memberChanges(byRank(member(0), member(1)), byRank(member(1), member(2)));
  expect(changes).toEqual({ changed: [member(2)], gone: [0] });
});

import { parseRank } from "@daos/rank";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemberTable, providerOf } from "./member-table.ts";
import { memberOf } from "./testing/members.ts";

const ranks = (members: Iterable<{ readonly rank: number }>) => [...members].map(({ rank }) => rank);

describe("MemberTable", () => {
  it("lowestFree() agrees with a look at all members after any changes", () => {
    const change = fc.record({ uuid: fc.nat(7), rank: fc.nat(9), remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), fc.nat(4), (changes, kept) => {
        const table = new MemberTable();
        for (const { uuid: number, rank, remove } of changes) {
          const { uuid } = memberOf(number);
          const holder = table.atRank(parseRank(rank));
          if (remove) table.delete(uuid);
          else if (holder === undefined || holder.uuid === uuid)
            table.set(memberOf(number, { rank: parseRank(rank) }));
          const taken = new Set([kept, ...[...table.values()].map((member) => Number(member.rank))]);
          let lowest = 0;
          while (taken.has(lowest)) lowest++;
          expect(table.lowestFree((one) => one === kept)).toBe(lowest);
        }
      }),
    );
  });

  const here = { host: "10.0.0.1", port: 10001 };
  const there = { host: "10.0.0.2", port: 10001 };

  it("finds a member by uuid, rank and host, and no more when any of them has changed", () => {
    const table = new MemberTable([memberOf(0), memberOf(1)]);
    expect(ranks(table.onHost(here))).toEqual([0, 1]);
    table.set(memberOf(1, { rank: parseRank(7), address: there }));
    expect([table.size, table.get("uuid-1")?.rank, table.atRank(parseRank(1))]).toEqual([2, 7, undefined]);
    expect([ranks(table.onHost(here)), ranks(table.onHost(there))]).toEqual([[0], [7]]);
    table.delete("uuid-1");
    expect([table.size, table.atRank(parseRank(7)), ranks(table.onHost(there))]).toEqual([1, undefined, []]);
  });

  it("finds another provider among members in service that report, and not that of the engine itself", () => {
    const tcp = { uri: "ofi+tcp://10.0.0.1:1" };
    const other = (...members: readonly Parameters<typeof memberOf>[]) =>
      new MemberTable(members.map((args) => memberOf(...args))).withOtherProvider("ofi+sockets", "uuid-9");
    expect(other([0], [1, tcp])).toMatchObject({ rank: 1 });
    expect(other([0], [1, { uri: "psm2" }])).toBeUndefined();
    expect(other([9, tcp])).toBeUndefined();
    expect(other([1, { ...tcp, state: "joining" }])).toBeUndefined();
    expect(other([1, { ...tcp, reports: false }])).toBeUndefined();
    const table = new MemberTable([memberOf(1, tcp)]);
    table.set(memberOf(1, { ...tcp, state: "stopped" }));
    expect(table.withOtherProvider("ofi+sockets", "uuid-9")).toBeUndefined();
  });
});

describe("providerOf", () => {
  it.each([
    ["ofi+sockets://10.0.0.1:31416", "ofi+sockets"],
    ["ofi+verbs;ofi_rxm://10.0.0.1:31416", "ofi+verbs;ofi_rxm"],
    ["://10.0.0.1", undefined],
    ["10.0.0.1:31416", undefined],
  ])("reads from %s %s", (uri, expected) => {
    expect(providerOf(uri)).toBe(expected);
  });
});

import { Fault, FaultCode } from "@daos/fault";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatHostSet } from "./format-host-set.ts";
import { compareAddresses, formatHostAddress, parseHostAddress } from "./host-address.ts";
import { MAX_RANGE, parseHostList } from "./parse-host-list.ts";

const show = (text: string) => parseHostList(text).map(formatHostAddress);

describe("parseHostAddress()", () => {
  it.each([
    ["node1", { host: "node1", port: 10001 }],
    [" node1.cluster:10002 ", { host: "node1.cluster", port: 10002 }],
    ["10.0.0.1:1", { host: "10.0.0.1", port: 1 }],
    ["[::1]", { host: "::1", port: 10001 }],
    ["[fe80::1]:65535", { host: "fe80::1", port: 65535 }],
    ["my_host.", { host: "my_host.", port: 10001 }],
  ])("reads %j", (text, address) => {
    expect(parseHostAddress(text)).toEqual(address);
  });

  it.each([
    ["", "missing"],
    [":10001", "missing"],
    ["node1:", "not a port"],
    ["node1:0", "not a port"],
    ["node1:65536", "not a port"],
    ["node1:1e3", "not a port"],
    ["::1", "needs brackets"],
    ["[::1", "is not [address]"],
    ["[::1]x", "is not [address]"],
    ["[:::1]", "not an IPv6 address"],
    ["300.1.1.1", "not an IPv4 address"],
    ["123", "not an IPv4 address"],
    ["-node", "not a host name"],
    ["no de", "not a host name"],
    ["node[1-2]", "not a host name"],
    ["a..b", "not a host name"],
    ["x".repeat(64), "not a host name"],
  ])("refuses %j", (text, reason) => {
    expect(() => parseHostAddress(text)).toThrow(reason);
  });
});

describe("compareAddresses()", () => {
  it("orders by name, with numbers by their value, and then by port", () => {
    const ordered = [
      "10.0.0.2",
      "10.0.0.10",
      "10.0.0.10:10002",
      "10.0.1.1",
      "node",
      "node-1",
      "node007",
      "node08",
      "node8",
      "node8-ib0",
      "node9.a",
      "node10.a",
      "node10.b",
      "nodes",
    ].map((text) => parseHostAddress(text));
    expect(ordered.toReversed().sort(compareAddresses)).toEqual(ordered);
  });
});

describe("compareAddresses(), for any three hosts,", () => {
  const name = fc.string({ unit: fc.constantFrom(..."n0019-.:aA"), maxLength: 7 });
  const number = fc.string({ unit: fc.constantFrom(..."019"), maxLength: 40 });
  const address = fc.record({ host: fc.oneof(name, number, fc.ipV6()), port: fc.constantFrom(1, 2) });

  it("is one order: the same from both sides, equal only for the same host, and without circles", () => {
    fc.assert(
      fc.property(address, address, address, (a, b, c) => {
        const [ab, ba] = [compareAddresses(a, b), compareAddresses(b, a)].map(Math.sign);
        expect(ab).toBe(0 - (ba ?? 0));
        if (ab === 0) expect(a).toEqual(b);
        const [first, , last] = [a, b, c].toSorted(compareAddresses);
        if (first && last) expect(compareAddresses(first, last)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
  });
});

describe("parseHostList()", () => {
  it.each([
    [
      "node[1-3,10].suffix:10002",
      ["node1.suffix:10002", "node2.suffix:10002", "node3.suffix:10002", "node10.suffix:10002"],
    ],
    ["node[08-11]", ["node08:10001", "node09:10001", "node10:10001", "node11:10001"]],
    ["b,a, b ,a:1", ["b:10001", "a:10001", "a:1"]],
    ["r[1-2]n[1-2]", ["r1n1:10001", "r1n2:10001", "r2n1:10001", "r2n2:10001"]],
    ["10.0.0.[1-2]:5", ["10.0.0.1:5", "10.0.0.2:5"]],
    ["[::1]:5,[::2]", ["[::1]:5", "[::2]:10001"]],
    ["node[7]", ["node7:10001"]],
    ["[1-2]node", ["1node:10001", "2node:10001"]],
    ["a b", ["a:10001", "b:10001"]],
    ["a\tb\nc", ["a:10001", "b:10001", "c:10001"]],
    ["a,,b", ["a:10001", "b:10001"]],
    ["a,", ["a:10001"]],
    [", a ,, b ", ["a:10001", "b:10001"]],
    ["node[1, 3] x", ["node1:10001", "node3:10001", "x:10001"]],
  ])("expands %j", (text, hosts) => {
    expect(show(text)).toEqual(hosts);
  });

  it.each([
    ["", "missing"],
    [" , ", "missing"],
    ["a:", "not a port"],
    ["node[1-", "brackets do not match"],
    ["node]1[", "brackets do not match"],
    ["node[[1]]", "brackets do not match"],
    ["node[]", "neither a number nor a range"],
    ["node[a-b]", "neither a number nor a range"],
    ["node[3-1]", "ends before it starts"],
    ["node[1-16385]", "more than 16384 numbers"],
    ["node[1-16384,20000]", "more than 16384 numbers"],
    ["r[1-1000]n[1-1000]", "more than 65536 hosts"],
    ["node[1-2]:x", "not a port"],
    ["10.0.0.[255-256]", "not an IPv4 address"],
    ["node[1-9999999999]", "neither a number nor a range"],
  ])("refuses %j", (text, reason) => {
    expect(() => parseHostList(text)).toThrow(reason);
  });

  it("takes the longest range allowed", () => {
    expect(parseHostList(`node[1-${MAX_RANGE}]`)).toHaveLength(MAX_RANGE);
  });

  it("shows only the start of a very long list", () => {
    expect(() => parseHostList("(".repeat(100_000))).toThrow(/^.{1,400}$/);
  });
});

describe("formatHostSet()", () => {
  it.each([
    ["node3,node1,node2,node10", "node[1-3,10]"],
    ["node08,node09,node10", "node[08-10]"],
    ["node8,node08,node9,node09", "node[8-9,08-09]"],
    ["node1.a,node2.a,node1.b", "node[1-2].a,node1.b"],
    ["a,b:2,c", "a,b:2,c"],
    ["node1:2,node2:2,node3", "node3,node[1-2]:2"],
    ["10.0.0.2,10.0.0.1", "10.0.0.[1-2]"],
    ["[::1],[::2]:7", "[::1],[::2]:7"],
    ["rack1-node1,rack1-node2,rack2-node1", "rack1-node[1-2],rack2-node1"],
    ["node[1-3]-ib0", "node[1-3]-ib0"],
    ["node[1-3]-ib0.a:2", "node[1-3]-ib0.a:2"],
    ["r[1-2]n1,r3n2", "r[1-2]n1,r3n2"],
    ["r[1-2]n[1-3]", "r1n[1-3],r2n[1-3]"],
    ["node1-ib[0-2],node2-ib[0-2]", "node1-ib[0-2],node2-ib[0-2]"],
    ["node1.rack[1-3].site", "node1.rack[1-3].site"],
    ["node[1-20]-ib0,node[1-20]-ib1", "node[1-20]-ib0,node[1-20]-ib1"],
    ["10.0.[1-3].7", "10.0.[1-3].7"],
    ["node1-ib0", "node1-ib0"],
    ["node08-ib0,node09-ib0", "node[08-09]-ib0"],
  ])("shortens %j", (text, set) => {
    expect(formatHostSet(parseHostList(text))).toBe(set);
  });

  it("splits a range that is too long to be parsed again", () => {
    const hosts = parseHostList(`node[1-${MAX_RANGE}],node[20000-20005]`);
    const set = formatHostSet(hosts);
    expect(set).toBe(`node[1-${MAX_RANGE}],node[20000-20005]`);
    expect(parseHostList(set)).toEqual(hosts);
  });
});

const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/);
const digits = fc.oneof(
  fc.nat({ max: 40 }).map(String),
  fc.nat({ max: 40 }).map((number) => `0${number}`),
  fc.nat({ max: 120 }).map((number) => String(number).padStart(3, "0")),
);
const host = fc.oneof(
  fc
    .tuple(fc.constantFrom("node", "r1-n", "x"), digits, fc.constantFrom("", ".a", ".b2.c"))
    .map((parts) => parts.join("")),
  fc.tuple(label, fc.constantFrom("", ".cluster")).map((parts) => parts.join("")),
  fc.ipV4(),
  fc.ipV6().filter((address) => !address.includes(".")),
);
const address = fc.record({ host, port: fc.constantFrom(10001, 10002) });

describe("parseHostList() and formatHostSet()", () => {
  it("keep a set in a round trip", () => {
    fc.assert(
      fc.property(fc.array(address, { minLength: 1, maxLength: 60 }), (hosts) => {
        const wanted = new Set(hosts.map(formatHostAddress));
        const text = formatHostSet(hosts);
        const read = parseHostList(text).map(formatHostAddress);
        expect(new Set(read)).toEqual(wanted);
        expect(read).toHaveLength(wanted.size);
        expect(formatHostSet(parseHostList(text))).toBe(text);
      }),
    );
  });

  it("turn any text into hosts within the limit, or a fault", () => {
    const hostile = fc.string({ unit: fc.constantFrom(..."n019[]-,.: \n%é"), maxLength: 40 });
    fc.assert(
      fc.property(fc.oneof(hostile, fc.string()), (text) => {
        try {
          expect(parseHostList(text).length).toBeLessThanOrEqual(65_536);
        } catch (error) {
          expect(error).toBeInstanceOf(Fault);
          expect((error as Fault).code).toBe(FaultCode.hostlistInvalid);
        }
      }),
      { numRuns: 500 },
    );
  });
});

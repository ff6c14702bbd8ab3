import { FaultCode } from "@daos/fault";
import { NIL_RANK, type Rank } from "@daos/rank";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeMember, encodeMember, isUnreadable, readKept } from "./encode-member.ts";
import type { Member, MemberState } from "./member.ts";
import { sampleMember } from "./testing/sample-member.ts";

const states = [
  "joining",
  "joined",
  "stopping",
  "stopped",
  "excluded",
  "unresponsive",
  "errored",
  "replaced",
] as const;

const REQUIRED = [
  "uuid",
  "rank",
  "address",
  "uri",
  "contexts",
  "state",
  "reason",
  "since",
  "incarnation",
  "faultDomain",
  "reports",
] as const;

/** Any member that the types allow, mostly within the limits. */
const members: fc.Arbitrary<Member> = fc.record(
  {
    uuid: fc.oneof(fc.uuid(), fc.constantFrom("", "{", "a/b", "uuid-1", "x".repeat(65)), fc.string()),
    rank: fc.oneof(fc.nat(70_000), fc.constantFrom(NIL_RANK, 4294967294, -1, -0, 1.5)) as fc.Arbitrary<Rank>,
    address: fc.record({
      host: fc.oneof(
        fc.ipV4(),
        fc.ipV6(),
        fc.domain(),
        fc.constantFrom("", "a b", " node1", "x".repeat(300)),
      ),
      port: fc.oneof(fc.integer({ min: 1, max: 65_535 }), fc.constantFrom(0, 65_536, 1.5)),
    }),
    uri: fc.oneof(
      fc.constant("ofi+sockets://10.0.0.1:31416"),
      fc.string({ maxLength: 300 }),
      fc.constant("x".repeat(257)),
    ),
    contexts: fc.oneof(fc.nat(128), fc.constantFrom(65_537, -1)),
    state: fc.oneof(fc.constantFrom(...states), fc.constant("gone" as MemberState)),
    reason: fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("x".repeat(1025), "\uD800")),
    since: fc.oneof(fc.nat(), fc.constantFrom(Number.NaN, -1)),
    incarnation: fc.oneof(fc.nat(), fc.constant(2 ** 32)),
    faultDomain: fc.oneof(fc.constantFrom("", "/rack1/node3"), fc.string()),
    reports: fc.boolean(),
    instance: fc.oneof(fc.nat(63), fc.constantFrom(64, -1, 0.5)),
    replacedBy: fc.oneof(fc.nat(70_000), fc.constantFrom(NIL_RANK, -1)) as fc.Arbitrary<Rank>,
  },
  { noNullPrototype: true, requiredKeys: [...REQUIRED] },
);

const attempt = <T>(work: () => T): T | undefined => {
  try {
    return work();
  } catch {
    return undefined;
  }
};

const hasNegativeZero = (member: Member) => Object.values(member).some((value) => Object.is(value, -0));

describe("encodeMember", () => {
  it("encodeMember() writes what decodeMember() reads as the same member, and refuses exactly the rest", () => {
    let refused = 0;
    fc.assert(
      fc.property(members, (member) => {
        // The stored document without the check.
        const { address, ...rest } = member;
        const host = address.host.includes(":") ? `[${address.host}]` : address.host;
        const unchecked = JSON.stringify({ version: 1, ...rest, address: `${host}:${address.port}` });
        const read = attempt(() => decodeMember(unchecked));
        const readable =
          read !== undefined && Object.is(read.address.host, address.host) && !hasNegativeZero(member);
        const encoded = attempt(() => encodeMember(member));
        expect(encoded !== undefined).toBe(readable);
        if (encoded === undefined) refused++;
        else expect(decodeMember(encoded)).toEqual(member);
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(0);
  });

  it.each<[string, Partial<Member>]>([
    ["rank", { rank: NIL_RANK }],
    ["uuid", { uuid: "" }],
    ["uuid", { uuid: "{" }],
    ["uri", { uri: "x".repeat(4_000_000) }],
    ["reason", { reason: "x".repeat(1025) }],
  ])(
    "encodeMember() names the field %s and does not echo the value when it refuses a member",
    (field, change) => {
      try {
        encodeMember(sampleMember(1, change));
        expect.unreachable();
      } catch (error) {
        expect(error).toMatchObject({ code: FaultCode.requestInvalid });
        expect(String(error)).toContain(`the ${field} of a member is `);
        expect(String(error).length).toBeLessThan(400);
      }
    },
  );
});

describe("readKept", () => {
  it("readKept() gives a reason when a document is no member, or another engine's", () => {
    const { uuid } = sampleMember(1);
    const good = encodeMember(sampleMember(1));
    expect(readKept(uuid, good)).toEqual(sampleMember(1));
    for (const document of [good.slice(1), good.replace('"rank":1', '"rank":4294967295'), "null", "[]", ""])
      expect(isUnreadable(readKept(uuid, document)), document).toBe(true);
    expect(readKept("other", good)).toMatchObject({
      uuid: "other",
      reason: expect.stringContaining(uuid) as string,
    });
  });
});

import { errorText } from "@daos/fault";
import { formatHostAddress, parseHostAddress } from "@daos/hostlist";
import { MAX_RANK, parseRank } from "@daos/rank";
import {
  type FieldLimit,
  isWithin,
  MAX_ADDRESS,
  MAX_CONTEXTS,
  MAX_ENGINES,
  MAX_FAULT_DOMAIN,
  MAX_REASON,
  MAX_URI,
} from "@daos/security";
import { verifyChecksum } from "./document-checksum.ts";
import { faultMemberInvalid } from "./faults.ts";
import type { Member, MemberState } from "./member.ts";
import type { UnreadableMember } from "./member-store.ts";

const STATES: ReadonlySet<string> = new Set<MemberState>([
  "joining",
  "joined",
  "stopping",
  "stopped",
  "excluded",
  "unresponsive",
  "errored",
  "replaced",
]);

/** The fields of a document without a checksum. */
const FIELDS: ReadonlySet<string> = new Set([
  "version",
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
]);

type Claim<T> = readonly [limit: string, claim: (found: unknown) => found is T];

const text = (max: number): Claim<string> => [
  `a text of at most ${max} characters`,
  (found): found is string => typeof found === "string" && found.length <= max && found.isWellFormed(),
];
const count = (max: number): Claim<number> => {
  const limit: FieldLimit = { kind: "number", min: 0, max };
  return [
    `a whole number from 0 to ${max}`,
    (found): found is number => isWithin(found, limit) && !Object.is(found, -0),
  ];
};

/**
 * The limits of every field of a stored member. They are wider than a join's (`METHOD_LIMITS`), to accept what earlier
 * releases stored. A uuid is part of a key, and of a line of an etcd commit plan.
 */
const UUID: Claim<string> = [
  "letters, digits and dashes, from 1 to 64",
  (found): found is string => typeof found === "string" && /^[\w-]{1,64}$/.test(found),
];
const CLAIMS = {
  rank: count(MAX_RANK),
  address: text(MAX_ADDRESS),
  uri: text(MAX_URI),
  contexts: count(MAX_CONTEXTS),
  state: [
    [...STATES].join(", "),
    (found): found is MemberState => typeof found === "string" && STATES.has(found),
  ] as Claim<MemberState>,
  reason: text(MAX_REASON),
  since: count(Number.MAX_SAFE_INTEGER),
  incarnation: count(0xffff_ffff),
  faultDomain: text(MAX_FAULT_DOMAIN),
  reports: ["true or false", (found): found is boolean => typeof found === "boolean"] as Claim<boolean>,
  instance: count(MAX_ENGINES - 1),
  replacedBy: count(MAX_RANK),
};

/**
 * Encodes a member for a store: JSON, with `version` for changes in a later release.
 *
 * @throws Fault requestInvalid for what {@link decodeMember} would refuse
 */
export function encodeMember(member: Member): string {
  const document = { version: 1, ...member, address: formatHostAddress(member.address) };
  const { address } = readMember(document);
  if (address.host !== member.address.host) throw refusal("address", document.address, "a host address");
  return JSON.stringify(document);
}

/** Decodes what {@link encodeMember} wrote. @throws Error with the reason */
export function decodeMember(document: string): Member {
  const value: unknown = JSON.parse(document);
  if (typeof value !== "object" || value === null) throw refusal("document", value, "an object");
  return readMember(value);
}

/**
 * The stored document of an engine's uuid: its member, or why it cannot be read. A document without a checksum is one
 * of an earlier release. It may only have the fields of that release: a field whose name is a damaged `checksum` is
 * refused.
 */
export function readKept(uuid: string, document: string): Member | UnreadableMember {
  try {
    const hasChecksum = verifyChecksum(document);
    const member = decodeMember(document);
    const unknown = Object.keys(JSON.parse(document) as object).find((name) => !FIELDS.has(name));
    if (!hasChecksum && unknown !== undefined) throw refusal(`field ${unknown}`, "there", "absent");
    if (member.uuid !== uuid) throw refusal("uuid", member.uuid, `${uuid}, under which it is kept`);
    return member;
  } catch (error) {
    return { uuid, document, reason: errorText(error) };
  }
}

export function isUnreadable(kept: Member | UnreadableMember): kept is UnreadableMember {
  return "document" in kept;
}

function readMember(value: object): Member {
  const field = <T>(name: string, [limit, claim]: Claim<T>): T => {
    const found = (value as Readonly<Record<string, unknown>>)[name];
    if (claim(found)) return found;
    throw refusal(name, found, limit);
  };
  const optional = <T>(name: string, claim: Claim<T>): T | undefined =>
    name in value && (value as Readonly<Record<string, unknown>>)[name] !== undefined
      ? field(name, claim)
      : undefined;
  field("version", ["1", (found): found is 1 => found === 1]);
  const instance = optional("instance", CLAIMS.instance);
  const replacedBy = optional("replacedBy", CLAIMS.replacedBy);
  return {
    uuid: field("uuid", UUID),
    rank: parseRank(field("rank", CLAIMS.rank)),
    address: parseHostAddress(field("address", CLAIMS.address)),
    uri: field("uri", CLAIMS.uri),
    contexts: field("contexts", CLAIMS.contexts),
    state: field("state", CLAIMS.state),
    reason: field("reason", CLAIMS.reason),
    since: field("since", CLAIMS.since),
    incarnation: field("incarnation", CLAIMS.incarnation),
    faultDomain: field("faultDomain", CLAIMS.faultDomain),
    reports: field("reports", CLAIMS.reports),
    ...(instance === undefined ? {} : { instance }),
    ...(replacedBy === undefined ? {} : { replacedBy: parseRank(replacedBy) }),
  };
}

function refusal(name: string, found: unknown, limit: string) {
  const shown = typeof found === "string" ? JSON.stringify(found.slice(0, 64)) : String(found);
  return faultMemberInvalid(name, shown, limit);
}

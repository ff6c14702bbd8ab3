import { formatHostAddress, parseHostAddress } from "@daos/hostlist";
import { parseRank } from "@daos/rank";
import type { Member, MemberState } from "./member.ts";

const STATES: ReadonlySet<string> = new Set<MemberState>([
  "joining",
  "joined",
  "stopping",
  "stopped",
  "excluded",
  "unresponsive",
  "errored",
]);

/** A member as the stores keep it: JSON, with `version` for what a later release may change. */
export function encodeMember(member: Member): string {
  return JSON.stringify({ version: 1, ...member, address: formatHostAddress(member.address) });
}

/** Reads what {@link encodeMember} wrote. @throws Error that says what is wrong with it */
export function decodeMember(text: string): Member {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null) throw new Error(`not a member: ${text}`);
  const field = <T>(name: string, claim: (found: unknown) => found is T): T => {
    const found = (value as Readonly<Record<string, unknown>>)[name];
    if (claim(found)) return found;
    throw new Error(`${name} of a member is ${JSON.stringify(found)}`);
  };
  field("version", (found): found is 1 => found === 1);
  return {
    uuid: field("uuid", isString),
    rank: parseRank(field("rank", isCount)),
    address: parseHostAddress(field("address", isString)),
    uri: field("uri", isString),
    contexts: field("contexts", isCount),
    state: field("state", (found): found is MemberState => isString(found) && STATES.has(found)),
    reason: field("reason", isString),
    since: field("since", isCount),
    incarnation: field("incarnation", isCount),
    faultDomain: field("faultDomain", isString),
    reports: field("reports", (found) => typeof found === "boolean"),
  };
}

const isString = (value: unknown): value is string => typeof value === "string";
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

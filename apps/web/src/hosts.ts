import { ctl } from "@daos/proto";

/** The states of a member, in dmg's words. */
export type StateName =
  | "errored"
  | "unresponsive"
  | "excluded"
  | "stopped"
  | "stopping"
  | "joining"
  | "unknown"
  | "joined";

/** All states, ordered by their need for attention. */
export const STATES: readonly StateName[] = [
  "errored",
  "unresponsive",
  "excluded",
  "stopped",
  "stopping",
  "joining",
  "unknown",
  "joined",
];

const NAMES: ReadonlyMap<ctl.MemberState, StateName> = new Map([
  [ctl.MemberState.MEMBER_JOINING, "joining"],
  [ctl.MemberState.MEMBER_JOINED, "joined"],
  [ctl.MemberState.MEMBER_STOPPING, "stopping"],
  [ctl.MemberState.MEMBER_STOPPED, "stopped"],
  [ctl.MemberState.MEMBER_EXCLUDED, "excluded"],
  [ctl.MemberState.MEMBER_UNRESPONSIVE, "unresponsive"],
  [ctl.MemberState.MEMBER_ERRORED, "errored"],
]);

/** The name of a member's state. */
export function stateOf(member: Pick<ctl.SystemMember, "state">): StateName {
  return NAMES.get(member.state) ?? "unknown";
}

/** The state of a host: the state of its member that needs attention most. */
export function worstState(members: readonly Pick<ctl.SystemMember, "state">[]): StateName {
  const states = new Set(members.map(stateOf));
  return STATES.find((state) => states.has(state)) ?? "unknown";
}

/** The part of a fault domain that several hosts share: `/rack1` for `/rack1/node3`. */
export function parentDomain(faultDomain: string): string {
  const end = faultDomain.lastIndexOf("/");
  return end <= 0 ? "" : faultDomain.slice(0, end);
}

const COLLATOR = new Intl.Collator("en", { numeric: true });

/** Sorts addresses as people do: node9 before node10. */
export function compareAddresses(a: string, b: string): number {
  return COLLATOR.compare(a, b);
}

/** The host without its port if all hosts have the same one. */
export function shortNames(addresses: readonly string[]): (address: string) => string {
  const port = (address: string) => address.slice(address.lastIndexOf(":"));
  if (new Set(addresses.map(port)).size !== 1) return (address) => address;
  return (address) => address.slice(0, address.lastIndexOf(":"));
}

/**
 * A typed filter of hosts: words separated by spaces or commas, of which one must match. A word is a part of the
 * address, a host set such as `node[1-8,12]`, or `rank:7`.
 */
export function hostFilter(text: string): (address: string, ranks: readonly number[]) => boolean {
  const words = text.match(/(?:\[[^\]]*\]?|[^\s,[])+/g) ?? [];
  if (words.length === 0) return () => true;
  const tests = words.map(wordFilter);
  return (address, ranks) => tests.some((test) => test(address, ranks));
}

function wordFilter(word: string): (address: string, ranks: readonly number[]) => boolean {
  const rank = /^rank:(\d{1,10})$/.exec(word);
  if (rank !== null) return (_address, ranks) => ranks.includes(Number(rank[1]));
  const set = /^(.*)\[([\d,\s-]+)\](.*)$/.exec(word);
  if (set === null) return (address) => address.toLowerCase().includes(word.toLowerCase());
  const [, before = "", ranges = "", after = ""] = set;
  const bounds = ranges.split(",").map((range) => {
    const [low = "", high = low] = range.trim().split("-");
    return [Number(low), Number(high)] as const;
  });
  return (address) => {
    if (!address.startsWith(before)) return false;
    const digits = /^\d+/.exec(address.slice(before.length))?.[0];
    if (digits === undefined) return false;
    const rest = address.slice(before.length + digits.length);
    const ends = after === "" ? rest === "" || /^[.:]/.test(rest) : rest.startsWith(after);
    return ends && bounds.some(([low, high]) => Number(digits) >= low && Number(digits) <= high);
  };
}

import { encodeMember, type Member, type MemberChange, type MemberState } from "@daos/member-store";
import { EventHistory } from "./event-history.ts";
import { PoolHistory } from "./pool-history.ts";

/** One state of a member in the store; `undefined` after it was erased. */
interface Entry {
  readonly commit: number;
  readonly member: Member | undefined;
}

/**
 * The durable state, in etcd or on a disk. It checks each commit against the invariants, and each acknowledgement against the
 * commits. A violation ends the run.
 */
export class History {
  readonly violations: string[] = [];
  readonly pools: PoolHistory;
  readonly events = new EventHistory();
  readonly #now: () => number;
  readonly #log: ((line: string) => void) | undefined;
  readonly #members = new Map<string, Member>();
  readonly #ranks = new Map<number, string>();
  readonly #histories = new Map<string, Entry[]>();
  /** The uuids whose exclusion an administrator is clearing, or has tried to clear. */
  readonly #cleared = new Set<string>();
  #commits = 0;
  #changes = 0;
  #term = 0;
  #hash = 0x811c9dc5;

  constructor(now: () => number, log?: (line: string) => void) {
    this.pools = new PoolHistory(
      (text) => this.note(text),
      (text) => this.violate(text),
    );
    this.#now = now;
    this.#log = log;
  }

  get commits(): number {
    return this.#commits;
  }

  get changes(): number {
    return this.#changes;
  }

  /** A hash of the whole history. Two runs are equal when their hashes are. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  list(): readonly Member[] {
    return [...this.#members.values()].sort((a, b) => a.rank - b.rank);
  }

  get(uuid: string): Member | undefined {
    return this.#members.get(uuid);
  }

  /** Appends a line to the history. */
  note(line: string): void {
    const text = `${this.#now()} ${line}`;
    this.#log?.(text);
    let hash = this.#hash;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    this.#hash = hash;
  }

  violate(text: string): void {
    this.note(`VIOLATION ${text}`);
    this.violations.push(`at ${this.#now()} ms: ${text}`);
  }

  /** The member that would lose its rank to another one, if these changes were committed. */
  conflict(changes: readonly MemberChange[]): Member | undefined {
    const removed = new Set(changes.filter(({ kind }) => kind === "remove").map((change) => uuidOf(change)));
    const given = new Map<number, string>();
    for (const change of changes) {
      if (change.kind !== "put") continue;
      const { rank, uuid } = change.member;
      const holder = this.#ranks.get(rank);
      const taken = holder !== undefined && holder !== uuid && !removed.has(holder);
      if (taken || (given.get(rank) ?? uuid) !== uuid) return change.member;
      given.set(rank, uuid);
    }
    return undefined;
  }

  /** Commits changes in a leader's term. */
  commit(term: number, changes: readonly MemberChange[]): void {
    if (term < this.#term) this.violate(`term ${term} commits after term ${this.#term} has`);
    this.#term = term;
    this.#commits++;
    this.#changes += changes.length;
    for (const change of changes) this.#apply(term, change);
  }

  #apply(term: number, change: MemberChange): void {
    const uuid = uuidOf(change);
    const before = this.#members.get(uuid);
    if (before !== undefined) this.#ranks.delete(before.rank);
    const member = change.kind === "put" ? change.member : undefined;
    if (member === undefined) {
      this.#members.delete(uuid);
      this.note(`${term} remove ${uuid}`);
    } else {
      this.#check(before, member);
      const holder = this.#ranks.get(member.rank);
      if (holder !== undefined) this.violate(`rank ${member.rank} of ${holder} is given to ${uuid}`);
      this.#members.set(uuid, member);
      this.#ranks.set(member.rank, uuid);
      this.note(`${term} put ${encodeMember(member)}`);
    }
    const history = this.#histories.get(uuid) ?? [];
    history.push({ commit: this.#commits, member });
    this.#histories.set(uuid, history);
  }

  #check(before: Member | undefined, after: Member): void {
    if (before === undefined) return;
    const { uuid } = after;
    if (before.rank !== after.rank) this.violate(`${uuid} had rank ${before.rank}, now ${after.rank}`);
    if (after.incarnation < before.incarnation)
      this.violate(`incarnation of ${uuid} goes from ${before.incarnation} to ${after.incarnation}`);
    const moves = after.address.host !== before.address.host;
    if (
      before.state === "joined" &&
      after.state === "joined" &&
      after.incarnation === before.incarnation &&
      !moves
    )
      this.violate(`${uuid} is joined twice as incarnation ${after.incarnation}`);
    if (before.state === "excluded" && after.state !== "excluded") {
      const cleared = after.state === (after.replacedBy === undefined ? "stopped" : "replaced");
      if (!cleared || !this.#cleared.has(uuid)) this.violate(`excluded ${uuid} becomes ${after.state}`);
      this.#cleared.delete(uuid);
    }
  }

  /** An administrator begins to clear exclusions. */
  clearing(uuids: readonly string[]): void {
    for (const uuid of uuids) this.#cleared.add(uuid);
  }

  /** A join was acknowledged, so it must have been committed. */
  joinAcknowledged(uuid: string, rank: number, incarnation: number): void {
    this.note(`joined ${uuid} ${rank} ${incarnation}`);
    const found = this.#histories
      .get(uuid)
      ?.some(
        ({ member }) =>
          member?.rank === rank && member.incarnation === incarnation && member.state === "joined",
      );
    if (found !== true)
      this.violate(`the join of ${uuid} as rank ${rank}, incarnation ${incarnation}, was never committed`);
  }

  /** A member change that began at commit `since` was acknowledged, so the member must have been in that state since then. */
  stateAcknowledged(uuid: string, states: readonly (MemberState | "forgotten")[], since: number): void {
    this.note(`acknowledged ${uuid} ${states[0]}`);
    const history = this.#histories.get(uuid) ?? [];
    const first = history.findLastIndex(({ commit }) => commit <= since);
    const seen = history.slice(Math.max(0, first)).map(({ member }) => member?.state ?? "forgotten");
    if (!seen.some((state) => states.includes(state)))
      this.violate(`${uuid} was said to be ${states[0]}, but has been ${seen.join(", ")}`);
  }

  /** A leader that is not committing must have the same members as the store. */
  checkLeader(members: readonly Member[], where: string): void {
    if (members.length !== this.#members.size) {
      this.violate(`${where} has ${members.length} members, the store ${this.#members.size}`);
      return;
    }
    for (const member of members) {
      const kept = this.#members.get(member.uuid);
      if (kept === undefined || encodedOf(kept) !== encodeMember(member)) {
        const found = kept === undefined ? "nothing" : encodeMember(kept);
        this.violate(`${where} has ${encodeMember(member)}, the store ${found}`);
        return;
      }
    }
  }
}

/**
 * The encoded members of the store, kept because they are compared at every step. The leader's members are encoded each time.
 */
const encoded = new WeakMap<Member, string>();

function encodedOf(member: Member): string {
  const known = encoded.get(member);
  if (known !== undefined) return known;
  const text = encodeMember(member);
  encoded.set(member, text);
  return text;
}

function uuidOf(change: MemberChange): string {
  return change.kind === "put" ? change.member.uuid : change.uuid;
}

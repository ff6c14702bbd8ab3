import { cleanText, type Fault, toFault } from "@daos/fault";
import { formatHostAddress, type HostAddress, sameAddress } from "@daos/hostlist";
import {
  encodeMember,
  faultLeadershipLost,
  faultRankTaken,
  type Member,
  type MemberChange,
  type MemberStore,
  type UnreadableMember,
} from "@daos/member-store";
import { NIL_RANK, type Rank } from "@daos/rank";
import { MAX_MEMBERS, MAX_REASON } from "@daos/security";
import type { Clock } from "@daos/sys";
import { CommitQueue } from "./commit-queue.ts";
import {
  faultJoinUnreadable,
  faultMemberElsewhere,
  faultMemberExcluded,
  faultMemberUnknown,
  faultNoReplicaYet,
  faultProviderMismatch,
  faultSystemFull,
} from "./faults.ts";
import { MemberTable, providerOf } from "./member-table.ts";
import { type HostReport, isAbout, lossOf, planLoss } from "./plan-report.ts";
import { type Condition, type EngineReport, planTransition } from "./plan-transition.ts";
import type { SystemEventKind, SystemEvents } from "./system-events.ts";

/** An engine's request to join. */
export interface JoinRequest {
  readonly uuid: string;
  /** `NIL_RANK` for any. */
  readonly rank: Rank;
  /** Control address of its host. */
  readonly address: HostAddress;
  readonly uri: string;
  readonly contexts: number;
  readonly faultDomain: string;
  /** Its host sends reports. */
  readonly reports: boolean;
  /** The data plane knows its rank already, which is the replica's own. */
  readonly recorded: boolean;
  /** Its index in the configuration of its host, from 0; undefined when its server does not report it. */
  readonly instance?: number | undefined;
}

/** A member that a host's report is about, with the state of its engine, or the reason why the host has lost it. */
interface Reported {
  readonly member: Member;
  readonly said: EngineReport | { readonly loss: string };
}

/** The membership's decision about a join, before the data plane is asked. */
export type JoinPlan =
  /** The data plane has the engine in its map already, and leads from there. */
  | { readonly kind: "record"; readonly rank: Rank }
  /** The data plane decides on a new rank, and hands the group map on to an engine that has one. */
  | { readonly kind: "ask-engine"; readonly rank: Rank }
  /** The rank is reserved here, then the data plane is asked to admit the engine. */
  | { readonly kind: "reserve"; readonly rank: Rank }
  | { readonly kind: "refuse"; readonly fault: Fault };

export interface MembershipOptions {
  readonly store: Pick<MemberStore, "load" | "commit">;
  readonly events: SystemEvents;
  readonly clock: Clock;
  /** Aborts when this host may not lead any more. */
  readonly signal: AbortSignal;
  /** False as soon as another host may lead, also when the signal is late. */
  readonly holds: () => boolean;
  /** Called with an excluded member when its host reports that its engine serves. */
  readonly onExcludedServes?: ((member: Member) => void) | undefined;
  /** Who gives ranks to new engines: the data plane with one access point, the store with several. */
  readonly ranksFrom: "engine" | "store";
}

/** The members that were asked for, and the ranks and hosts that do not exist. */
export interface Selected {
  readonly members: readonly Member[];
  readonly missingRanks: readonly number[];
  readonly missingHosts: readonly string[];
}

/**
 * The members of the system, as the leader keeps them during its term: rank and uuid are one to one, and the changes of
 * a call are durable when it returns. Decisions take changes into account that are still being committed; answers show
 * committed changes only.
 */
export class Membership {
  readonly events: SystemEvents;
  readonly #options: MembershipOptions;
  readonly #queue: CommitQueue;
  readonly #busy = new Set<string>();
  readonly #claimed = new Set<Rank>();
  readonly #passedOver = new Set<Rank>();
  /** Engines that were members, and whose stored entries cannot be read. */
  readonly #unreadable = new Set<string>();
  #durable: MemberTable;
  #next: MemberTable;
  #sorted: readonly Member[] | undefined;

  private constructor(members: readonly Member[], options: MembershipOptions) {
    const { store, clock, signal, events } = options;
    this.events = events;
    this.#options = options;
    this.#durable = new MemberTable(members);
    this.#next = new MemberTable(members);
    this.#queue = new CommitQueue({
      store,
      clock,
      signal,
      onCommitted: (changes) => this.#keep(changes),
      onFailed: () => {
        this.#next = new MemberTable(this.#durable.values());
      },
    });
  }

  /** Reads the members. @throws Fault memberStoreUnusable */
  static async load(options: MembershipOptions): Promise<Membership> {
    const unreadable: UnreadableMember[] = [];
    const members = await options.store.load({
      signal: options.signal,
      onUnreadable: (one) => unreadable.push(one),
    });
    const membership = new Membership(members, options);
    for (const { uuid, reason } of unreadable) {
      membership.#unreadable.add(uuid);
      const name = cleanText(uuid, 64);
      options.events.add("member_unreadable", `the stored member ${name} cannot be read: ${reason}`, {
        uuid: name,
      });
    }
    return membership;
  }

  /** Aborts when the term is over; late when this process was frozen. */
  get signal(): AbortSignal {
    return this.#options.signal;
  }

  /**
   * Checks that the term goes on. Call it before each step of work in the term. @throws Fault leadershipLost when it is
   * over
   */
  checkTerm(attempted: string): void {
    if (!this.#options.holds()) throw faultLeadershipLost(attempted);
  }

  /** How many commits the changes so far have taken. */
  get commits(): number {
    return this.#queue.commits;
  }

  /** No change is being committed. */
  get idle(): boolean {
    return this.#queue.idle;
  }

  /** All members, by rank: the same list until something changes. */
  list(): readonly Member[] {
    this.#sorted ??= [...this.#durable.values()].sort((a, b) => a.rank - b.rank);
    return this.#sorted;
  }

  byUuid(uuid: string): Member | undefined {
    return this.#durable.get(uuid);
  }

  /** @throws Fault memberUnknown */
  byRank(rank: number): Member {
    const found = this.#durable.atRank(rank as Rank);
    if (found === undefined) throw faultMemberUnknown(rank);
    return found;
  }

  /** All members when neither ranks nor hosts are given. Hosts are control addresses, `10.0.0.1:10001`. */
  select(ranks: readonly number[], hosts: readonly string[]): Selected {
    const all = this.list();
    if (ranks.length === 0 && hosts.length === 0) return { members: all, missingRanks: [], missingHosts: [] };
    const wanted = new Set(ranks);
    const on = new Set(hosts);
    const addresses = new Map(all.map((member) => [member, formatHostAddress(member.address)]));
    const known = new Set(addresses.values());
    const knownRanks = new Set<number>(all.map(({ rank }) => rank));
    return {
      members: all.filter((member) => wanted.has(member.rank) || on.has(addresses.get(member) ?? "")),
      missingRanks: ranks.filter((rank) => !knownRanks.has(rank)),
      missingHosts: hosts.filter((host) => !known.has(host)),
    };
  }

  /**
   * Decides on a join. A member that comes back goes to the data plane too: until that has handed the group map on to its
   * new process, every pool create over it fails with DER_GRPVER. The only replica has the map from its own storage.
   */
  planJoin(attempt: JoinRequest): JoinPlan {
    const { uuid, rank, address } = attempt;
    if (this.#unreadable.has(uuid)) return refuse(faultJoinUnreadable(uuid));
    const known = this.#next.get(uuid);
    if (known?.state === "excluded") return refuse(faultMemberExcluded(uuid, known.rank));
    const mismatch = this.#providerMismatch(attempt);
    if (mismatch !== undefined) return refuse(mismatch);
    if (known !== undefined) {
      if (rank !== NIL_RANK && rank !== known.rank)
        return refuse(faultRankTaken(uuid, rank, `that engine is rank ${known.rank}`));
      if (!sameAddress(known.address, address) && isInService(known))
        return refuse(faultMemberElsewhere(uuid, address, known));
      if (attempt.recorded) return this.#planReplica(known.rank);
      return { kind: this.#options.ranksFrom === "store" ? "reserve" : "ask-engine", rank: known.rank };
    }
    if (this.#next.size >= MAX_MEMBERS) return refuse(faultSystemFull(uuid, MAX_MEMBERS));
    if (rank !== NIL_RANK) {
      const holder = this.#holder(rank);
      if (holder !== undefined)
        return refuse(faultRankTaken(uuid, rank, `that rank belongs to engine ${holder}`));
    }
    if (attempt.recorded) return this.#planReplica(rank);
    if (this.#options.ranksFrom === "engine") return { kind: "ask-engine", rank };
    if (this.#next.size === 0) return refuse(faultNoReplicaYet());
    return { kind: "reserve", rank: rank === NIL_RANK ? this.nextRank() : rank };
  }

  /** One of several replicas may come back while another one leads. */
  #planReplica(rank: Rank): JoinPlan {
    return { kind: this.#options.ranksFrom === "store" ? "ask-engine" : "record", rank };
  }

  /** The rank that a new engine gets: the lowest one that is free. */
  nextRank(): Rank {
    return this.#next.lowestFree((rank) => this.#claimed.has(rank) || this.#passedOver.has(rank));
  }

  /** Keeps this rank from new engines in this term: the data plane still has it for an engine that was erased. */
  passOver(rank: Rank): void {
    this.#passedOver.add(rank);
  }

  /** Reserves the rank of a new engine before the data plane is asked. */
  async reserve(attempt: JoinRequest, rank: Rank): Promise<void> {
    if (this.#next.get(attempt.uuid) !== undefined) return this.settled();
    this.#checkHolder(attempt.uuid, rank);
    await this.#commit([this.#memberFrom(attempt, rank, { state: "joining", reason: "" }, 0)]);
  }

  /**
   * Withdraws the reservation of an engine that the data plane has refused.
   *
   * @returns false for an engine that has joined before or was excluded meanwhile: its member stays
   */
  async release(uuid: string): Promise<boolean> {
    const member = this.#next.get(uuid);
    if (member === undefined) return true;
    if (member.incarnation !== 0 || member.state === "excluded") return false;
    await this.#remove(uuid);
    return true;
  }

  /** Keeps a rank from others while the data plane is asked about it; dispose it afterwards. */
  claim(rank: Rank): Disposable {
    if (rank !== NIL_RANK) this.#claimed.add(rank);
    return { [Symbol.dispose]: () => void this.#claimed.delete(rank) };
  }

  /** Records that an engine has joined, durably. @returns the member @throws Fault memberConflict, memberExcluded, providerMismatch */
  async admit(attempt: JoinRequest, rank: Rank): Promise<Member> {
    const known = this.#next.get(attempt.uuid);
    if (known?.state === "excluded") {
      await this.settled();
      throw faultMemberExcluded(attempt.uuid, rank);
    }
    this.#checkHolder(attempt.uuid, rank);
    const mismatch = this.#providerMismatch(attempt);
    if (mismatch !== undefined) throw mismatch;
    const incarnation = (known?.incarnation ?? 0) + 1;
    const member = this.#memberFrom(attempt, rank, { state: "joined", reason: "" }, incarnation);
    const replaced = incarnation === 1 ? this.#replacedBy(member) : [];
    await this.#commit([member, ...replaced]);
    const host = formatHostAddress(member.address);
    if (incarnation === 1) this.#addEvent("member_joined", `rank ${rank} has joined from ${host}`, member);
    else this.#addEvent("member_restarted", `rank ${rank} has joined again from ${host}`, member);
    for (const one of replaced)
      this.#addEvent("member_replaced", `rank ${one.rank} is replaced by rank ${rank} on ${host}`, {
        ...one,
        reason: "",
      });
    return member;
  }

  /** The members whose place on a host a new engine has taken. An excluded one stays excluded until that is cleared. */
  #replacedBy({ uuid, rank, address, instance }: Member): readonly Member[] {
    if (instance === undefined) return [];
    return [...this.#next.onHost(address)]
      .filter((member) => member.uuid !== uuid && member.instance === instance)
      .filter(({ replacedBy }) => replacedBy === undefined)
      .map((member) => ({
        ...(member.state === "excluded" ? member : this.#with(member, replaced(rank))),
        replacedBy: rank,
      }));
  }

  /** The members that a host's report is about: those of its engines, and those at its address that it has lost. */
  reportedBy(report: HostReport): readonly Reported[] {
    const { host, engines } = report;
    const named = engines.flatMap((said): readonly Reported[] => {
      const member = said.uuid === undefined ? undefined : this.#next.get(said.uuid);
      return member !== undefined && isAbout(member, host, said) ? [{ member, said }] : [];
    });
    const lost = [...this.#next.onHost(host)].flatMap((member): readonly Reported[] => {
      const loss = lossOf(member, report);
      return loss === undefined ? [] : [{ member, said: { loss } }];
    });
    return [...named, ...lost];
  }

  /**
   * Applies a host's report about its engines.
   *
   * @param options `reported` is the part to apply, by default all that is about members; `moved` are uuids of members
   * that get the report's address
   */
  async report(
    report: HostReport,
    options: { readonly reported?: readonly Reported[]; readonly moved?: readonly string[] } = {},
  ): Promise<void> {
    const { host } = report;
    const { reported = this.reportedBy(report), moved = [] } = options;
    const changed: Member[] = [];
    const settled: Member[] = [];
    for (const { member, said } of reported) {
      const { uuid } = member;
      const busy = this.#busy.has(uuid);
      const isLost = "loss" in said;
      if (!isLost && said.state === "serving" && this.byUuid(uuid)?.state === "excluded")
        this.#options.onExcludedServes?.(member);
      const next = isLost ? planLoss(member, said.loss, busy) : planTransition(member, said, busy);
      const address = moved.includes(uuid) ? host : member.address;
      const incarnation = isLost ? member.incarnation : Math.max(member.incarnation, said.incarnation);
      if (next !== undefined) changed.push({ ...this.#with(member, next), address, incarnation });
      else if (address !== member.address || incarnation !== member.incarnation)
        settled.push({ ...member, address, incarnation });
    }
    if (changed.length + settled.length === 0) return;
    await this.#commitStates(changed, settled);
    for (const uuid of moved) this.#tellMoved(uuid, host);
  }

  #tellMoved(uuid: string, host: HostAddress): void {
    const member = this.byUuid(uuid);
    if (member === undefined) return;
    const message = `rank ${member.rank} reports from ${formatHostAddress(host)} now`;
    this.#addEvent("member_moved", message, { ...member, reason: "" });
  }

  /** Puts members into a state, unless they are excluded or replaced; unknown ones are left out. */
  async setState(uuids: readonly string[], condition: Condition): Promise<void> {
    const members = uuids.map((uuid) => this.#next.get(uuid)).filter((member) => member !== undefined);
    await this.#commitStates(
      members
        .filter(({ state }) => state !== "excluded" && state !== "replaced")
        .map((member) => this.#with(member, condition)),
    );
  }

  /** Excludes members; unknown ones are left out. @returns them as they were right before */
  async exclude(uuids: readonly string[], reason: string): Promise<readonly Member[]> {
    const members = uuids.map((uuid) => this.#next.get(uuid)).filter((member) => member !== undefined);
    const fresh = members.filter(({ state }) => state !== "excluded");
    await this.#commitStates(fresh.map((member) => this.#with(member, { state: "excluded", reason })));
    return members;
  }

  async clearExclude(uuids: readonly string[]): Promise<void> {
    const members = uuids.map((uuid) => this.#next.get(uuid)).filter((member) => member !== undefined);
    const excluded = members.filter(({ state }) => state === "excluded");
    await this.#commit(
      excluded.map((member) =>
        this.#with(
          member,
          member.replacedBy === undefined ? { state: "stopped", reason: "" } : replaced(member.replacedBy),
        ),
      ),
    );
    for (const member of excluded)
      this.#addEvent("member_exclusion_cleared", `rank ${member.rank} may join again`, member);
  }

  /**
   * Forgets a member, unless it has joined again since it had this incarnation.
   *
   * @returns whether it is forgotten
   */
  async erase(uuid: string, incarnation?: number): Promise<boolean> {
    const member = this.#next.get(uuid);
    if (member === undefined) {
      await this.settled();
      return true;
    }
    if (incarnation !== undefined && member.incarnation !== incarnation) return false;
    await this.#remove(uuid);
    this.#addEvent("member_erased", `rank ${member.rank} is not a member any more`, {
      ...member,
      reason: "",
    });
    return true;
  }

  /** While `work` runs, the reports of hosts do not change these members. */
  async whileBusy<T>(uuids: readonly string[], work: () => Promise<T>): Promise<T> {
    for (const uuid of uuids) this.#busy.add(uuid);
    try {
      return await work();
    } finally {
      for (const uuid of uuids) this.#busy.delete(uuid);
    }
  }

  /**
   * Resolves when the pending changes of others are durable: a caller without changes of its own relies on them too.
   *
   * @throws Fault when that cannot be committed
   */
  async settled(): Promise<void> {
    try {
      await this.#queue.settled();
    } catch (error) {
      throw toFault(error);
    }
  }

  /** @param others members that are committed with them, without an event */
  async #commitStates(members: readonly Member[], others: readonly Member[] = []): Promise<void> {
    const alive = members.filter(
      ({ uuid, state }) => state === "joined" && this.#next.get(uuid)?.state === "unresponsive",
    );
    await this.#commit([...members, ...others]);
    for (const member of alive)
      this.#addEvent("swim_rank_alive", `rank ${member.rank} is responsive again`, member);
    for (const member of members) {
      const event = EVENTS[member.state];
      if (event !== undefined) this.#addEvent(event[0], `rank ${member.rank} ${event[1]}`, member);
    }
  }

  async #commit(members: readonly Member[]): Promise<void> {
    if (members.length === 0) return this.settled();
    // A change that the store refuses would fail the other changes of the same commit.
    for (const member of members) encodeMember(member);
    for (const member of members) this.#next.set(member);
    await this.#push(members.map((member) => ({ kind: "put", member })));
  }

  async #remove(uuid: string): Promise<void> {
    this.#next.delete(uuid);
    await this.#push([{ kind: "remove", uuid }]);
  }

  async #push(changes: readonly MemberChange[]): Promise<void> {
    this.#options.signal.throwIfAborted();
    try {
      await this.#queue.push(changes);
    } catch (error) {
      throw toFault(error);
    }
  }

  #keep(changes: readonly MemberChange[]): void {
    this.#sorted = undefined;
    for (const change of changes) {
      if (change.kind === "put") this.#durable.set(change.member);
      else this.#durable.delete(change.uuid);
    }
  }

  #memberFrom(attempt: JoinRequest, rank: Rank, condition: Condition, incarnation: number): Member {
    const { uuid, address, uri, contexts, faultDomain, reports, instance } = attempt;
    const since = Math.round(this.#options.clock.wallTime());
    const member = {
      uuid,
      rank,
      address,
      uri,
      contexts,
      ...condition,
      since,
      incarnation,
      faultDomain,
      reports,
    };
    return instance === undefined ? member : { ...member, instance };
  }

  #with(member: Member, condition: Condition): Member {
    const reason = cleanText(condition.reason, MAX_REASON);
    return { ...member, ...condition, reason, since: Math.round(this.#options.clock.wallTime()) };
  }

  #addEvent(kind: SystemEventKind, message: string, { rank, uuid, address, reason }: Member): void {
    this.events.add(kind, reason === "" ? message : `${message}: ${reason}`, { rank, uuid, address });
  }

  /** Engines reach each other only with the same provider: that of those in service is the system's. */
  #providerMismatch({ uuid, uri, address }: JoinRequest): Fault | undefined {
    const provider = providerOf(uri);
    if (provider === undefined) return undefined;
    const other = this.#next.withOtherProvider(provider, uuid);
    return other && faultProviderMismatch({ uuid, provider, address }, other);
  }

  #holder(rank: Rank): string | undefined {
    if (this.#claimed.has(rank)) return "that joins at this moment";
    return this.#next.atRank(rank)?.uuid;
  }

  #checkHolder(uuid: string, rank: Rank): void {
    const holder = this.#next.atRank(rank)?.uuid;
    if (holder !== undefined && holder !== uuid)
      throw faultRankTaken(uuid, rank, `that rank belongs to engine ${holder}`);
  }
}

/** The event of a member that enters a state. */
const EVENTS: Partial<Record<Member["state"], readonly [SystemEventKind, string]>> = {
  stopped: ["member_stopped", "has stopped"],
  errored: ["engine_died", "is out of service"],
  unresponsive: ["swim_rank_dead", "is unresponsive"],
  excluded: ["member_excluded", "is excluded"],
};

const replaced = (rank: Rank): Condition => ({ state: "replaced", reason: `by rank ${rank} on its host` });

const refuse = (fault: Fault): JoinPlan => ({ kind: "refuse", fault });

/** Its host has reported it lately: otherwise it would be unresponsive. */
function isInService({ state, reports }: Member): boolean {
  return reports && (state === "joined" || state === "stopping");
}

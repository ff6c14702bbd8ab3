import { isSpaceExceeded } from "@daos/etcd";
import { Fault, FaultCode, toFault } from "@daos/fault";
import { formatHostAddress, type HostAddress, sameAddress } from "@daos/hostlist";
import { type Logger, limitRepeats } from "@daos/log";
import type { Member, PoolRecord } from "@daos/member-store";
import {
  FailureDetector,
  type FailureDetectorOptions,
  Membership,
  type MembershipOptions,
  SystemEvents,
  watchHosts,
} from "@daos/membership";
import { PoolRegistry } from "@daos/pool-registry";
import { faultNotLeader } from "@daos/rpc";
import { type Clock, systemClock } from "@daos/sys";
import type { AccessPoint, Election, LeaderView, Term } from "./election.ts";
import { faultElectionUnreachable } from "./faults.ts";
import { keepCopy } from "./keep-copy.ts";
import { keepEvents, saveEvents } from "./keep-events.ts";
import { MembersView } from "./members-view.ts";

export interface LeadershipOptions {
  readonly election: Election;
  /** Control address of this host. */
  readonly self: HostAddress;
  readonly ranksFrom: MembershipOptions["ranksFrom"];
  /** Stops the engine of an excluded member that still serves, because its host was not reached at the exclusion. */
  readonly stopExcluded?: ((member: Member, wait: Wait) => Promise<void>) | undefined;
  /** Keeps a copy of the members and the pools outside their store, on the leader. */
  readonly saveCopy?:
    | ((members: readonly Member[], pools: readonly PoolRecord[]) => Promise<void>)
    | undefined;
  /** Reads that copy; no members when there is none. */
  readonly readCopy?: (() => Promise<readonly Member[]>) | undefined;
  readonly failureDetection?: Omit<FailureDetectorOptions, "clock"> | undefined;
  readonly log: Logger;
  readonly clock?: Clock | undefined;
}

interface Wait {
  readonly signal: AbortSignal;
}

/** The leader's data during its term. */
interface Leading {
  readonly term: Term;
  readonly membership: Membership;
  readonly pools: PoolRegistry;
  readonly failureDetector: FailureDetector;
  /** The events of former leaders were read, and may be added to. */
  readonly eventsKept: boolean;
}

/** The management service as one host sees it. */
export interface LeadershipStatus {
  /** It leads, and has read the members. */
  readonly leadsHere: boolean;
  readonly leader: HostAddress | undefined;
  readonly term: number | undefined;
  readonly store: "file" | "etcd";
  /** Why there is no leader, as far as this host knows. */
  readonly outage: Fault | undefined;
  readonly members: number | undefined;
  readonly unsavedEvents: number | undefined;
}

/** Time before the members are read again after a failure, ms. */
const RETRY_MS = 1_000;
/** Maximum delay of a leader by reading or writing events, ms. */
const EVENTS_MS = 2_000;
/** Time before the host of an excluded engine that has not stopped is asked again, ms. */
const STOP_TIMEOUT_MS = 30_000;

/** Who leads the management service, and on the leader the members. */
export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #clock: Clock;
  #view: LeaderView = { kind: "following", leader: undefined };
  #leading: Leading | undefined;
  /** Why the members cannot be read, in a term of this host. */
  #unread: Fault | undefined;
  /** Excluded members whose engines are being stopped. */
  readonly #stopping = new Set<string>();
  /** For lines that the reports of a host cause. */
  readonly #quiet: Logger;

  /** Absent where only the leader has the members. */
  readonly #seen: MembersView | undefined;

  constructor(options: LeadershipOptions) {
    this.#options = options;
    this.#quiet = limitRepeats(options.log);
    this.#clock = options.clock ?? systemClock;
    const { election } = options;
    const read = election.readMembers?.bind(election);
    this.#seen = read && new MembersView({ read, clock: this.#clock });
  }

  /** The leader's control address; undefined while there is none. */
  get leader(): HostAddress | undefined {
    if (this.#view.kind === "following") return this.#view.leader;
    return this.#view.term.holds() ? this.#options.self : undefined;
  }

  /** The access points that take part. */
  get accessPoints(): readonly AccessPoint[] {
    return this.#options.election.accessPoints;
  }

  /** True when the members are stored in the storage of the leader's first engine, and are lost with it. */
  get membersOnStorage(): boolean {
    return this.#options.ranksFrom === "engine";
  }

  /** This host leads, and has read the members. */
  get leadsHere(): boolean {
    return this.#leading?.term.holds() === true;
  }

  /** The management service as this host sees it. */
  get status(): LeadershipStatus {
    const { ranksFrom } = this.#options;
    const leading = this.leadsHere ? this.#leading : undefined;
    return {
      leadsHere: leading !== undefined,
      leader: this.leader,
      term: leading?.term.number,
      store: ranksFrom === "store" ? "etcd" : "file",
      outage: this.#outage,
      members: leading?.membership.list().length,
      unsavedEvents: leading?.membership.events.unsaved(Number.POSITIVE_INFINITY).events.length,
    };
  }

  /** Takes part in the election until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { election, log } = this.#options;
    let term: Promise<void> = Promise.resolve();
    const onChange = (view: LeaderView) => {
      this.#view = view;
      if (view.kind === "leading") {
        term = this.#serve(view.term);
        term.catch((error: unknown) => log.error("the system cannot be led", { fault: toFault(error) }));
      } else {
        log.info("following", { leader: view.leader && formatHostAddress(view.leader) });
      }
    };
    await election.run(onChange, { signal });
    await term;
  }

  /** The members, on the leader. @throws Fault notLeader on other hosts, systemNotReady before they have been read */
  membership(): Membership {
    return this.#leadingHere().membership;
  }

  /**
   * The members, also on an access point that does not lead, when all access points reach the store. There the members
   * may be a second old, and older while the store cannot be read.
   *
   * @throws as {@link membership}; Fault electionUnreachable
   */
  async members(wait: Wait): Promise<readonly Member[]> {
    if (this.leadsHere || this.#seen === undefined) return this.membership().list();
    try {
      return await this.#seen.get(wait);
    } catch (error) {
      wait.signal.throwIfAborted();
      throw error instanceof Fault ? error : faultElectionUnreachable(error);
    }
  }

  /** The pools, on the leader. @throws as {@link membership} */
  pools(): PoolRegistry {
    return this.#leadingHere().pools;
  }

  /** When the hosts were last seen, on the leader. @throws as {@link membership} */
  failureDetector(): FailureDetector {
    return this.#leadingHere().failureDetector;
  }

  /**
   * The members as this host last saw them, while their store cannot be used and no host can lead: enough to stop the
   * engines in an emergency.
   *
   * @returns undefined while there is a leader, or may be one, and where this host has seen no members
   */
  async lastSeen(): Promise<{ readonly members: readonly Member[]; readonly outage: Fault } | undefined> {
    const outage = this.#outage;
    const { readCopy } = this.#options;
    if (outage === undefined || readCopy === undefined || !isStoreOutage(outage)) return undefined;
    const members = await readCopy();
    return members.length === 0 ? undefined : { members, outage };
  }

  /** Why there is no leader, when this host knows that. */
  get #outage(): Fault | undefined {
    if (this.leadsHere) return undefined;
    const { leader } = this;
    const { self, election } = this.#options;
    return leader === undefined || sameAddress(leader, self) ? (this.#unread ?? election.outage) : undefined;
  }

  #leadingHere(): Leading {
    const { self, ranksFrom } = this.#options;
    if (this.#leading?.term.holds() === true) return this.#leading;
    const { leader } = this;
    const outage = this.#outage;
    if (outage !== undefined) throw outage;
    if (leader !== undefined && sameAddress(leader, self)) throw faultNotReady(self, ranksFrom);
    throw faultNotLeader(formatHostAddress(self), leader && formatHostAddress(leader));
  }

  /** One term: reads the members, then serves them until it is over. */
  async #serve(term: Term): Promise<void> {
    const { log, self, ranksFrom } = this.#options;
    const { store, signal, holds } = term;
    const clock = this.#clock;
    try {
      const events = new SystemEvents({ log: log.child("events"), clock });
      const onExcludedServes = (member: Member) => void this.#stopExcluded(member, { signal });
      const membership = await this.#readOn({ signal }, () =>
        Membership.load({ store, events, clock, signal, holds, ranksFrom, onExcludedServes }),
      );
      const pools = await this.#readOn({ signal }, () =>
        PoolRegistry.load({ store, clock, log: log.child("pools"), signal, holds }),
      );
      const eventsKept = await this.#restoreEvents(events, term);
      const failureDetector = new FailureDetector({ ...this.#options.failureDetection, clock });
      signal.throwIfAborted();
      this.#leading = { membership, pools, failureDetector, term, eventsKept };
      events.add("leader_changed", `${formatHostAddress(self)} leads the system`, { address: self });
      log.info("leading", { term: term.number, members: membership.list().length });
      const { saveCopy: save } = this.#options;
      await Promise.all([
        watchHosts(membership, failureDetector, { clock, log, signal }),
        ...(eventsKept ? [keepEvents(events, { store, clock, log, signal })] : []),
        ...(save === undefined ? [] : [keepCopy({ membership, pools }, { save, clock, log, signal })]),
      ]);
    } catch (error) {
      if (!signal.aborted) throw error;
      log.info("not leading any more", { term: term.number });
    }
  }

  /**
   * Reads the events of former leaders. A leader without them leads nevertheless, but does not overwrite events that it
   * could not read.
   *
   * @returns whether they were read
   */
  async #restoreEvents(events: SystemEvents, { store, signal }: Term): Promise<boolean> {
    try {
      using limit = this.#clock.deadline(EVENTS_MS, "events of former leaders", signal);
      events.restore(await store.loadEvents(limit));
      return true;
    } catch (error) {
      signal.throwIfAborted();
      this.#options.log.error(
        "the events of former leaders cannot be read; new ones are kept in memory only",
        {
          fault: toFault(error),
        },
      );
      return false;
    }
  }

  /** Writes the events that the store lacks, before the server ends. Events that cannot be written are lost. */
  async saveEvents(): Promise<void> {
    if (this.#leading?.term.holds() !== true) return;
    const { membership, term, eventsKept } = this.#leading;
    if (!eventsKept) return;
    using limit = this.#clock.deadline(EVENTS_MS, "write the last events", term.signal);
    await saveEvents(membership.events, term.store, limit).catch((error: unknown) => {
      this.#options.log.warn("the last events could not be written", { fault: toFault(error) });
    });
  }

  /** Its host reports it every few seconds, so an engine that cannot be stopped now is stopped later. */
  async #stopExcluded(member: Member, { signal }: Wait): Promise<void> {
    const { uuid, rank } = member;
    const { stopExcluded } = this.#options;
    if (stopExcluded === undefined || this.#stopping.has(uuid)) return;
    this.#stopping.add(uuid);
    try {
      using limit = this.#clock.deadline(STOP_TIMEOUT_MS, `stop the excluded rank ${rank}`, signal);
      await stopExcluded(member, limit);
      this.#quiet.warn("an excluded rank served, and was stopped", { rank, uuid });
    } catch (error) {
      this.#quiet.warn("an excluded rank serves, and could not be stopped", {
        rank,
        uuid,
        fault: toFault(error),
      });
    } finally {
      this.#stopping.delete(uuid);
    }
  }

  /** Reads the store again and again until it can be read. */
  async #readOn<T>({ signal }: Wait, read: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const found = await read();
        this.#unread = undefined;
        return found;
      } catch (error) {
        this.#unread = undefined;
        signal.throwIfAborted();
        this.#unread = toFault(error);
        this.#options.log.error("the members cannot be read", { fault: this.#unread });
        await this.#clock.delay(RETRY_MS, { signal });
      }
    }
  }
}

/** True when the store of the whole system cannot be used, not only on this host. */
function isStoreOutage({ code, cause }: Fault): boolean {
  if (code === FaultCode.electionUnreachable) return isSpaceExceeded(cause);
  return code === FaultCode.memberStoreUnusable || code === FaultCode.memberStoreReplaced;
}

function faultNotReady(self: HostAddress, ranksFrom: MembershipOptions["ranksFrom"]): Fault {
  const fromStore = ranksFrom === "store";
  const reason = fromStore ? "it reads the members from etcd" : "its storage is not there yet";
  return new Fault({
    domain: "system",
    code: FaultCode.systemNotReady,
    description: `the management service on ${formatHostAddress(self)} is not ready: ${reason}`,
    resolution: fromStore
      ? "wait a moment, then try again; if it stays so, look in the server's log on that host"
      : "format the storage if that has not been done (dmg storage format), or wait until the server has opened it",
  });
}

import type { Leadership } from "@daos/election";
import { type Fault, FaultCode, isUnreachable } from "@daos/fault";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import type { EngineInstance } from "@daos/instance";
import type { Logger } from "@daos/log";
import type { Member, MemberState } from "@daos/member-store";
import type { Condition, Membership } from "@daos/membership";
import { formatRankSet, type Rank } from "@daos/rank";
import { type Clock, systemClock } from "@daos/sys";
import { faultNotRecorded } from "./faults.ts";
import {
  faultCancelled,
  faultExcluded,
  faultNotJoined,
  faultNotThere,
  faultOf,
  faultReplaced,
  faultRunning,
} from "./member-faults.ts";
import { eachOf, type HostMembers, membersByHost } from "./members-by-host.ts";
import { UnrecordedStates } from "./unrecorded-states.ts";

interface Wait {
  readonly signal: AbortSignal;
}

/** How the leader reaches the hosts of the members. Each throws the fault of the engine or its host. */
export interface MemberCalls {
  /** The host is told how long it has, so that an engine which hangs is told from a host which does not answer. */
  prepShutdown(host: HostAddress, rank: Rank, options: Wait & { readonly timeoutMs: number }): Promise<void>;
  killRank(host: HostAddress, rank: Rank, options: Wait & { readonly force: boolean }): Promise<void>;
  startRank(host: HostAddress, rank: Rank, wait: Wait): Promise<void>;
  eraseRank(host: HostAddress, rank: Rank, uuid: string, wait: Wait): Promise<void>;
}

export interface SystemActionsOptions {
  readonly leadership: Pick<Leadership, "membership" | "membersOnStorage">;
  readonly calls: MemberCalls;
  readonly harness: { readonly instances: readonly Pick<EngineInstance, "superblock">[] };
  readonly log: Logger;
  readonly clock?: Clock | undefined;
}

export interface ActionOptions extends Wait {
  /**
   * Ranks that the caller has named. Of all others, excluded and replaced ones are left out of a start and a stop.
   */
  readonly named?: readonly number[] | undefined;
  /** Without asking the engines to get ready. */
  readonly force: boolean;
  /** Hosts at a time. */
  readonly fanout: number;
  /** For each host and step, ms. */
  readonly timeoutMs: number;
  /** Gets what came of each step. */
  readonly onStep?: ((results: readonly ActionResult[]) => void) | undefined;
}

/** An action in the term in which it was begun. */
interface TermOptions extends ActionOptions {
  /** @throws Fault leadershipLost when the term is over */
  readonly checkTerm: () => void;
  /** Who asked waits no more; `signal` aborts then too. */
  readonly callerSignal: AbortSignal;
}

/** What came of an action for one member; `fault` is absent when all is well. */
export interface ActionResult {
  readonly member: Member;
  /** The step that was done, or that failed. */
  readonly action: string;
  readonly fault?: Fault | undefined;
  /** What is left to know when all is well. */
  readonly note?: string | undefined;
  /** Its state, where the store could not take it. */
  readonly state?: MemberState | undefined;
}

/** Hosts at a time unless the caller says otherwise. */
export const DEFAULT_FANOUT = 128;
/** The most that one host may take for one step, ms, unless the caller says otherwise. */
export const DEFAULT_STEP_MS = 30_000;
/** A started engine gets so long to join before the start counts as failed, at least, ms. */
const JOIN_WAIT_MS = 60_000;
const JOIN_LOOK_MS = 100;

/**
 * What an administrator does to members. Hosts are worked on side by side, a bounded number at a time, and each step has a
 * deadline for each host: dead hosts cost one deadline together, not one each. What is recorded of a member is what came
 * of it. An action ends with the term in which it was begun, half done then: the next leader may be told something else.
 */
export class SystemActions {
  readonly #options: SystemActionsOptions;
  readonly #clock: Clock;
  readonly #unrecorded: UnrecordedStates;

  constructor(options: SystemActionsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#unrecorded = new UnrecordedStates({ log: options.log, clock: this.#clock });
  }

  /**
   * Stops engines: when the whole system is stopped all are readied first, unless it is by force; then those of other hosts are killed, then those of this
   * host. Those of a host that does not answer are not killed either. That of a silent host is asked to get ready too: if
   * it is dead, this shows at the same time as with the others.
   */
  async stop(members: readonly Member[], options: ActionOptions): Promise<readonly ActionResult[]> {
    return this.#inTerm("stop", options, async (membership, term) => {
      const { wanted, leftOut } = partition("stop", members, options);
      const results = await this.#stopAll(wanted, membership, term);
      tellFailures("system_stop_failed", "the stop of the system failed", results, membership);
      return inOrder(members, byUuid([...leftOut, ...results]));
    });
  }

  /**
   * Kills engines while no host can lead, because the store of the members cannot be used: nothing is recorded. The next
   * leader learns their states from the reports of the hosts.
   *
   * @param why the fault of the store
   */
  async stopWithoutLeader(
    members: readonly Member[],
    options: ActionOptions & { readonly why: Fault },
  ): Promise<readonly ActionResult[]> {
    const { calls } = this.#options;
    const { why, force, signal } = options;
    const note = `not recorded, the system has no leader: ${why.message}`;
    const how = { ...options, checkTerm: () => {}, callerSignal: signal };
    const results = new Map<string, ActionResult>();
    for (const here of [false, true]) {
      const some = members.filter((member) => this.#isHere(member) === here);
      const killed = await this.#step("stop", some, how, (member, wait) =>
        calls.killRank(member.address, member.rank, { force, signal: wait.signal }),
      );
      for (const result of killed)
        results.set(result.member.uuid, result.fault ? result : { ...result, note, state: "stopped" });
    }
    return inOrder(members, results);
  }

  async #stopAll(
    members: readonly Member[],
    membership: Membership,
    options: TermOptions,
  ): Promise<readonly ActionResult[]> {
    const { calls } = this.#options;
    const { force } = options;
    const results = new Map<string, ActionResult>();
    for (const member of members) {
      if (member.state === "stopped") results.set(member.uuid, { member, action: "stop" });
      if (member.state === "replaced")
        results.set(member.uuid, { member, action: "stop", note: `it does not run, ${whyNot(member)}` });
    }
    const running = members.filter(({ uuid }) => !results.has(uuid));
    const uuids = running.map(({ uuid }) => uuid);
    await membership.whileBusy(uuids, async () => {
      if (!force) {
        await membership.setState(uuids, { state: "stopping", reason: "" }).catch((error: unknown) => {
          throw faultNotRecorded(error);
        });
      }
      const isWhole = membership.list().every(({ uuid, state }) => !isInUse(state) || uuids.includes(uuid));
      const ready = running.filter(({ state }) => !force && isWhole && isInUse(state));
      const readied = await this.#step("prep shutdown", ready, options, (member, { signal }) =>
        calls.prepShutdown(member.address, member.rank, { signal, timeoutMs: options.timeoutMs }),
      );
      const gone = goneHosts(readied);
      for (const result of readied)
        if (gone.has(formatHostAddress(result.member.address))) results.set(result.member.uuid, result);
      const reachable = running.filter((member) => {
        const fault = gone.get(formatHostAddress(member.address));
        if (fault !== undefined && !results.has(member.uuid))
          results.set(member.uuid, { member, action: "stop", fault });
        return fault === undefined;
      });
      const kill = async (some: readonly Member[]) => {
        const killed = await this.#step("stop", some, options, (member, wait) =>
          calls.killRank(member.address, member.rank, { force, signal: wait.signal }),
        );
        for (const result of killed) results.set(result.member.uuid, result);
      };
      await kill(reachable.filter((member) => !this.#isHere(member)));
      await kill(reachable.filter((member) => this.#isHere(member)));
      const undecided = [...results.values()].filter(({ fault }) => fault?.code === FaultCode.cancelled);
      await this.#putBack(membership, undecided);
      const decided = [...results.values()].filter((result) => !undecided.includes(result));
      for (const result of await this.#recordStops(membership, decided))
        results.set(result.member.uuid, result);
    });
    return inOrder(members, results);
  }

  /** Who asked has given up: nothing is known of these, so they are what they were until their hosts report otherwise. */
  async #putBack(membership: Membership, results: readonly ActionResult[]): Promise<void> {
    const groups = Map.groupBy(results, ({ member: { state, reason } }) => JSON.stringify([state, reason]));
    for (const group of groups.values()) {
      const members = group.map(({ member }) => member);
      const [{ state, reason }] = members as [Member];
      await this.#unrecorded.record(membership, members, { state, reason });
    }
  }

  /** @returns the results that could not be recorded, which say so */
  async #recordStops(
    membership: Membership,
    results: readonly ActionResult[],
  ): Promise<readonly ActionResult[]> {
    const unrecorded: ActionResult[] = [];
    const record = async (some: readonly ActionResult[], condition: Condition) => {
      const members = some.map(({ member }) => member);
      const fault = await this.#unrecorded.record(membership, members, condition);
      if (fault === undefined) return;
      const note = `not recorded yet, the server tries again: ${fault.message}`;
      unrecorded.push(...some.map((result) => ({ ...result, note, state: condition.state })));
    };
    const stopped = results.filter(({ fault }) => fault === undefined);
    await record(stopped, { state: "stopped", reason: "by an administrator" });
    const failed = results.filter(({ fault }) => fault !== undefined);
    const groups = Map.groupBy(failed, ({ fault }) => (fault as Fault).message);
    for (const [reason, group] of groups) {
      const code = group[0]?.fault?.code ?? 0;
      const state = isUnreachable({ code }) ? "unresponsive" : "errored";
      await record(group, { state, reason: `not stopped: ${reason}` });
    }
    return unrecorded;
  }

  /** Starts engines that are not in service, and waits until they have joined. */
  async start(members: readonly Member[], options: ActionOptions): Promise<readonly ActionResult[]> {
    return this.#inTerm("start", options, async (membership, term) => {
      const { wanted, leftOut } = partition("start", members, options);
      const results = await this.#startAll(wanted, membership, term);
      tellFailures("system_start_failed", "the start of the system failed", results, membership);
      return inOrder(members, byUuid([...leftOut, ...results]));
    });
  }

  async #startAll(
    members: readonly Member[],
    membership: Membership,
    options: TermOptions,
  ): Promise<readonly ActionResult[]> {
    const { calls } = this.#options;
    const results = new Map<string, ActionResult>();
    for (const member of members) {
      if (member.state === "excluded")
        results.set(member.uuid, { member, action: "start", fault: faultExcluded(member) });
      if (member.state === "replaced")
        results.set(member.uuid, { member, action: "start", fault: faultReplaced(member) });
      if (member.state === "joined") results.set(member.uuid, { member, action: "start" });
    }
    const waiting = members.filter(({ uuid }) => !results.has(uuid));
    // This host's engine first: without it no engine can join.
    const here = waiting.filter((member) => this.#isHere(member));
    const elsewhere = waiting.filter((member) => !this.#isHere(member));
    for (const some of [here, elsewhere]) {
      const asked = await this.#step("start", some, options, (member, wait) =>
        calls.startRank(member.address, member.rank, wait),
      );
      for (const result of asked) results.set(result.member.uuid, result);
      const started = asked.filter(({ fault }) => fault === undefined).map(({ member }) => member);
      for (const member of await this.#notJoined(membership, started, options))
        results.set(member.uuid, { member, action: "join", fault: faultNotJoined(member, membership) });
    }
    return inOrder(members, results);
  }

  /** Waits for started members to join. @returns those that have not in time */
  async #notJoined(
    membership: Membership,
    started: readonly Member[],
    options: TermOptions,
  ): Promise<readonly Member[]> {
    const until = this.#clock.now() + Math.max(JOIN_WAIT_MS, options.timeoutMs);
    let missing = started;
    for (;;) {
      options.checkTerm();
      missing = missing.filter(({ uuid, incarnation }) => {
        const now = membership.byUuid(uuid);
        return now === undefined || now.state !== "joined" || now.incarnation === incarnation;
      });
      if (missing.length === 0 || this.#clock.now() > until) return missing;
      await this.#clock.delay(JOIN_LOOK_MS, options);
    }
  }

  /** Excludes members, then stops their engines: one that cannot be reached is excluded all the same. */
  async exclude(members: readonly Member[], options: ActionOptions): Promise<readonly ActionResult[]> {
    return this.#inTerm("exclude", options, (...term) => this.#excludeAll(members, ...term));
  }

  async #excludeAll(
    members: readonly Member[],
    membership: Membership,
    options: TermOptions,
  ): Promise<readonly ActionResult[]> {
    const { calls } = this.#options;
    const before = await membership.exclude(
      members.map(({ uuid }) => uuid),
      "by an administrator",
    );
    // One that was excluded before may not have been reached then.
    const running = before.filter(({ state }) => state !== "stopped" && state !== "replaced");
    const killed = await this.#step("stop", running, options, (member, wait) =>
      calls.killRank(member.address, member.rank, { force: options.force, signal: wait.signal }),
    );
    const notes = new Map<string, string>();
    for (const { member, fault } of killed) {
      if (fault === undefined) continue;
      const { rank, uuid } = member;
      notes.set(uuid, `its engine was not stopped: ${fault.reason ?? fault.description}`);
      this.#options.log.warn("an excluded rank could not be stopped", { rank, reason: fault.message });
    }
    return members.map((member) => ({ member, action: "exclude", note: notes.get(member.uuid) }));
  }

  /** Lets excluded members join again. */
  async clearExclude(members: readonly Member[]): Promise<readonly ActionResult[]> {
    const membership = this.#options.leadership.membership();
    await membership.clearExclude(members.map(({ uuid }) => uuid));
    return members.map((member) => {
      const state = membership.byUuid(member.uuid)?.state;
      const note =
        state === "replaced"
          ? `${whyNot({ ...member, state })}: forget it with dmg system erase`
          : "it joins only once its engine runs: start it with dmg system start";
      return { member, action: "clear-exclude", ...(member.state === "excluded" ? { note } : {}) };
    });
  }

  /**
   * Forgets members that do not run, and takes the identity from their storage. With force also those whose host cannot be
   * reached; should it come back, its engine asks to join as a new one of its old rank.
   */
  async erase(members: readonly Member[], options: ActionOptions): Promise<readonly ActionResult[]> {
    return this.#inTerm("erase", options, (...term) => this.#eraseAll(members, ...term));
  }

  async #eraseAll(
    members: readonly Member[],
    membership: Membership,
    options: TermOptions,
  ): Promise<readonly ActionResult[]> {
    const { calls } = this.#options;
    const results = new Map<string, ActionResult>();
    for (const member of members) {
      if (mayRun(member, options.force))
        results.set(member.uuid, { member, action: "erase", fault: faultRunning(member) });
    }
    const stopped = members.filter(({ uuid, replacedBy }) => !results.has(uuid) && replacedBy === undefined);
    const eraseSome = async (some: readonly Member[], how: TermOptions) => {
      const done = await this.#step("erase", some, how, (member, wait) =>
        calls.eraseRank(member.address, member.rank, member.uuid, wait),
      );
      for (const result of done) {
        const gone = result.fault !== undefined && (isUnreachable(result.fault) || isNotThere(result.fault));
        const forgotten = result.fault === undefined || (gone && options.force);
        const { member, fault } = result;
        if (forgotten) results.set(member.uuid, { member, action: "erase" });
        else if (fault !== undefined && isNotThere(fault))
          results.set(member.uuid, { ...result, fault: faultNotThere(member, fault) });
        else results.set(member.uuid, result);
      }
      return done.map(({ member }) => member).filter(({ uuid }) => results.get(uuid)?.fault === undefined);
    };
    // One whose host could not be reached may have come back meanwhile, and joined.
    const forget = async ({ uuid, incarnation }: Member) => {
      const forgotten = await membership.erase(uuid, incarnation);
      const member = membership.byUuid(uuid);
      if (!forgotten && member !== undefined)
        results.set(uuid, { member, action: "erase", fault: faultRunning(member) });
    };
    // What a replaced engine had has been formatted.
    const replaced = members.filter(({ uuid, replacedBy }) => !results.has(uuid) && replacedBy !== undefined);
    for (const member of replaced) results.set(member.uuid, { member, action: "erase" });
    const erased = await eraseSome(
      stopped.filter((member) => !this.#holdsMembers(member)),
      options,
    );
    await Promise.all([...replaced, ...erased].map(forget));
    // The members' file is on the storage of the holder. It is therefore erased last, after all members have been removed.
    // The term ends with it.
    const holders = stopped.filter((member) => this.#holdsMembers(member));
    await Promise.all(holders.map(forget));
    options.checkTerm();
    await eraseSome(
      holders.filter(({ uuid }) => !results.has(uuid)),
      { ...options, signal: options.callerSignal, checkTerm: () => {} },
    );
    return inOrder(members, results);
  }

  /** An engine of this host: these go last, because the management service needs them. */
  #isHere({ uuid }: Member): boolean {
    return this.#options.harness.instances.some(({ superblock }) => superblock?.uuid === uuid);
  }

  /** The list of the members is kept in the storage of this engine, and goes with it. */
  #holdsMembers({ uuid }: Member): boolean {
    const { leadership, harness } = this.#options;
    return leadership.membersOnStorage && harness.instances[0]?.superblock?.uuid === uuid;
  }

  /** @throws Fault leadershipLost when the term ends before `work` does */
  async #inTerm(
    action: string,
    options: ActionOptions,
    work: (membership: Membership, options: TermOptions) => Promise<readonly ActionResult[]>,
  ): Promise<readonly ActionResult[]> {
    const membership = this.#options.leadership.membership();
    const signal = AbortSignal.any([options.signal, membership.signal]);
    const checkTerm = () => membership.checkTerm(`system ${action}`);
    try {
      return await work(membership, { ...options, signal, checkTerm, callerSignal: options.signal });
    } catch (error) {
      checkTerm();
      throw error;
    }
  }

  /** One step for many members, host by host. @throws Fault leadershipLost */
  async #step(
    action: string,
    members: readonly Member[],
    options: TermOptions,
    call: (member: Member, wait: Wait) => Promise<void>,
  ): Promise<readonly ActionResult[]> {
    const results: ActionResult[] = [];
    const { fanout, timeoutMs, signal, checkTerm } = options;
    await eachOf(membersByHost(members), fanout, async ({ address, members: here }: HostMembers) => {
      checkTerm();
      const host = formatHostAddress(address);
      using limit = this.#clock.deadline(timeoutMs, `${action} on ${host}`, signal);
      await Promise.all(
        here.map(async (member) => {
          try {
            // Nothing more is begun for a caller that has given up.
            options.callerSignal.throwIfAborted();
            await call(member, limit);
            results.push({ member, action });
          } catch (error) {
            checkTerm();
            const fault = options.callerSignal.aborted
              ? faultCancelled(action, host, error)
              : faultOf(error, action, host);
            this.#options.log.error(`${action} failed`, { rank: member.rank, address: host, fault });
            results.push({ member, action, fault });
          }
        }),
      );
    });
    checkTerm();
    const sorted = results.sort((a, b) => a.member.rank - b.member.rank);
    options.onStep?.(sorted);
    return sorted;
  }
}

/** Those that an action is for, and those that it leaves out because they cannot be in service. */
function partition(
  action: "start" | "stop",
  members: readonly Member[],
  { named = [] }: Pick<ActionOptions, "named">,
): { readonly wanted: readonly Member[]; readonly leftOut: readonly ActionResult[] } {
  const names = new Set(named);
  const out = (member: Member) =>
    (member.state === "excluded" || member.state === "replaced") && !names.has(member.rank);
  return {
    wanted: members.filter((member) => !out(member)),
    leftOut: members
      .filter(out)
      .map((member) => ({ member, action, note: `it is left out, ${whyNot(member)}` })),
  };
}

function whyNot({ state, replacedBy }: Member): string {
  return state === "replaced" ? `rank ${replacedBy} has replaced it` : "an administrator has excluded it";
}

/** The data plane uses its engine, or may. */
function isInUse(state: MemberState): boolean {
  return state === "joined" || state === "unresponsive";
}

/** Its host has another engine, or none with that rank: its storage is another one, or is not there. */
function isNotThere({ code }: Fault): boolean {
  return code === FaultCode.engineNotHere;
}

const byUuid = (results: readonly ActionResult[]): ReadonlyMap<string, ActionResult> =>
  new Map(results.map((result) => [result.member.uuid, result]));

function inOrder(
  members: readonly Member[],
  results: ReadonlyMap<string, ActionResult>,
): readonly ActionResult[] {
  return members.map(({ uuid }) => results.get(uuid)).filter((result) => result !== undefined);
}

/** The hosts of which no engine has answered a step, `10.0.0.1:10001`, and why: one engine that hangs is not a dead host. */
function goneHosts(results: readonly ActionResult[]): ReadonlyMap<string, Fault> {
  const gone = new Map<string, Fault>();
  const alive = new Set<string>();
  for (const { member, fault } of results) {
    const host = formatHostAddress(member.address);
    if (fault !== undefined && isUnreachable(fault)) gone.set(host, fault);
    else alive.add(host);
  }
  for (const host of alive) gone.delete(host);
  return gone;
}

function mayRun({ state }: Member, force: boolean): boolean {
  if (state === "stopped" || state === "excluded" || state === "errored" || state === "replaced")
    return false;
  return !(force && (state === "unresponsive" || state === "joining"));
}

/** One event for all members that an administrator's action failed for. */
function tellFailures(
  kind: "system_stop_failed" | "system_start_failed",
  what: string,
  results: readonly ActionResult[],
  { events }: Membership,
): void {
  const failed = results.filter(({ fault }) => fault !== undefined);
  const [first] = failed;
  if (first?.fault === undefined) return;
  const ranks = formatRankSet(failed.map(({ member }) => member.rank));
  events.add(kind, `${what} for ranks ${ranks}: ${first.action}: ${first.fault.message}`);
}

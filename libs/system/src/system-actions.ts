import type { Leadership } from "@daos/election";
import type { Fault } from "@daos/fault";
import type { EngineInstance } from "@daos/instance";
import type { Logger } from "@daos/log";
import type { Member } from "@daos/member-store";
import { type Clock, systemClock } from "@daos/sys";
import type { ActionOptions } from "./action-options.ts";
import { type ActionResult, addFailureEvent, byUuid, inOrder } from "./action-result.ts";
import { eraseMembers } from "./erase-members.ts";
import { clearExclude, excludeMembers } from "./exclude-members.ts";
import { partition } from "./left-out-members.ts";
import type { MemberCalls } from "./member-calls.ts";
import { memberStep } from "./member-step.ts";
import { startMembers } from "./start-members.ts";
import { stopMembers } from "./stop-members.ts";
import { stopWithoutLeader } from "./stop-without-leader.ts";
import type { ActionPorts, TermAction } from "./term-action.ts";
import { UnrecordedStates } from "./unrecorded-states.ts";

export interface SystemActionsOptions {
  readonly leadership: Pick<Leadership, "membership" | "membersOnStorage">;
  readonly calls: MemberCalls;
  readonly harness: { readonly instances: readonly Pick<EngineInstance, "superblock">[] };
  readonly log: Logger;
  readonly clock?: Clock | undefined;
}

/**
 * The actions of administrators on members. Hosts are called in parallel, a bounded number at a time, and each step has
 * a deadline for each host: many dead hosts cost one deadline, not one each. The recorded state of a member follows
 * from the result. An action ends with the term in which it began, possibly half done, because the next leader may get
 * other commands.
 */
export class SystemActions {
  readonly #options: SystemActionsOptions;
  readonly #clock: Clock;
  readonly #unrecorded: UnrecordedStates;
  readonly #ports: ActionPorts;

  constructor(options: SystemActionsOptions) {
    const { calls, harness, log, clock = systemClock } = options;
    this.#options = options;
    this.#clock = clock;
    this.#unrecorded = new UnrecordedStates({ log, clock });
    this.#ports = {
      calls,
      step: memberStep({ log, clock }),
      isHere: ({ uuid }) => harness.instances.some(({ superblock }) => superblock?.uuid === uuid),
    };
  }

  /** {@link stopMembers}, without those that are left out. */
  async stop(members: readonly Member[], options: ActionOptions): Promise<readonly ActionResult[]> {
    return this.#inTerm("stop", options, async (action) => {
      const { wanted, leftOut } = partition("stop", members, options);
      const results = await stopMembers(wanted, action, this.#unrecorded);
      addFailureEvent("system_stop_failed", "the stop of the system failed", results, action.membership);
      return inOrder(members, byUuid([...leftOut, ...results]));
    });
  }

  /** {@link stopWithoutLeader}: outside any term. */
  stopWithoutLeader(
    members: readonly Member[],
    options: ActionOptions & { readonly why: Fault },
  ): Promise<readonly ActionResult[]> {
    return stopWithoutLeader(members, options, this.#ports);
  }

  /** {@link startMembers}, without those that are left out. */
  async start(members: readonly Member[], options: ActionOptions): Promise<readonly ActionResult[]> {
    return this.#inTerm("start", options, async (action) => {
      const { wanted, leftOut } = partition("start", members, options);
      const results = await startMembers(wanted, action, this.#clock);
      addFailureEvent("system_start_failed", "the start of the system failed", results, action.membership);
      return inOrder(members, byUuid([...leftOut, ...results]));
    });
  }

  /** {@link excludeMembers} */
  async exclude(members: readonly Member[], options: ActionOptions): Promise<readonly ActionResult[]> {
    return this.#inTerm("exclude", options, (action) => excludeMembers(members, action, this.#options.log));
  }

  /** {@link clearExclude} */
  async clearExclude(members: readonly Member[]): Promise<readonly ActionResult[]> {
    return clearExclude(members, this.#options.leadership.membership());
  }

  /** {@link eraseMembers} */
  async erase(members: readonly Member[], options: ActionOptions): Promise<readonly ActionResult[]> {
    const holds = (member: Member) => this.#holdsMembers(member);
    return this.#inTerm("erase", options, (action) => eraseMembers(members, action, holds));
  }

  /** True when the list of the members is in the storage of this engine, and is lost with it. */
  #holdsMembers({ uuid }: Member): boolean {
    const { leadership, harness } = this.#options;
    return leadership.membersOnStorage && harness.instances[0]?.superblock?.uuid === uuid;
  }

  /** @throws Fault leadershipLost when the term ends before `work` does */
  async #inTerm(
    action: string,
    options: ActionOptions,
    work: (action: TermAction) => Promise<readonly ActionResult[]>,
  ): Promise<readonly ActionResult[]> {
    const membership = this.#options.leadership.membership();
    const signal = AbortSignal.any([options.signal, membership.signal]);
    const checkTerm = () => membership.checkTerm(`run system ${action}`);
    const inTerm = { ...options, signal, checkTerm, callerSignal: options.signal };
    try {
      return await work({ ...this.#ports, membership, options: inTerm });
    } catch (error) {
      checkTerm();
      throw error;
    }
  }
}

import { type Fault, FaultCode, hasCode, toFault } from "@daos/fault";
import type { Logger } from "@daos/log";
import type { Member } from "@daos/member-store";
import type { Condition, Membership } from "@daos/membership";
import type { Clock } from "@daos/sys";

/** Time before a store that takes no writes is tried again, ms. */
const RETRY_MS = 2_000;

interface Unrecorded {
  /** As it is recorded. */
  readonly member: Member;
  readonly condition: Condition;
}

export interface UnrecordedStatesOptions {
  readonly log: Logger;
  readonly clock: Clock;
}

/**
 * States of members that the store could not take, as on a full file system. They are recorded as soon as it takes writes
 * again, within the same term. The next leader learns them from the reports of the hosts.
 */
export class UnrecordedStates {
  readonly #options: UnrecordedStatesOptions;
  readonly #waiting = new Map<string, Unrecorded>();
  #running = false;

  constructor(options: UnrecordedStatesOptions) {
    this.#options = options;
  }

  /**
   * Records a state of members, now or later.
   *
   * @returns why this was postponed; undefined when it is recorded
   * @throws Fault leadershipLost, and every fault that is not the store's
   */
  async record(
    membership: Membership,
    members: readonly Member[],
    condition: Condition,
  ): Promise<Fault | undefined> {
    const uuids = members.map(({ uuid }) => uuid);
    for (const uuid of uuids) this.#waiting.delete(uuid);
    try {
      await membership.setState(uuids, condition);
      return undefined;
    } catch (error) {
      const fault = toFault(error);
      if (!hasCode(fault, FaultCode.memberStoreUnusable)) throw error;
      const { log } = this.#options;
      log.error("the state of members cannot be recorded, and will be later", { uuids, fault });
      for (const uuid of uuids) {
        const member = membership.byUuid(uuid);
        if (member !== undefined) this.#waiting.set(uuid, { member, condition });
      }
      void this.#run(membership);
      return fault;
    }
  }

  /** Runs until everything is recorded, or the term ends. */
  async #run(membership: Membership): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    const { clock, log } = this.#options;
    try {
      while (this.#waiting.size > 0) {
        await clock.delay(RETRY_MS, membership);
        await this.#recordAll(membership);
      }
    } catch (error) {
      if (!membership.signal.aborted) log.error("states are not recorded", { fault: toFault(error) });
      this.#waiting.clear();
    } finally {
      this.#running = false;
    }
  }

  async #recordAll(membership: Membership): Promise<void> {
    for (const [uuid, { member, condition }] of [...this.#waiting]) {
      // A record that was made meanwhile is newer: a join, a report of its host, an erase.
      if (membership.byUuid(uuid) !== member) {
        this.#waiting.delete(uuid);
        continue;
      }
      try {
        await membership.setState([uuid], condition);
      } catch (error) {
        if (!hasCode(error, FaultCode.memberStoreUnusable)) throw error;
        return;
      }
      this.#waiting.delete(uuid);
      this.#options.log.info("the state of a member is recorded now", {
        rank: member.rank,
        state: condition.state,
      });
    }
  }
}

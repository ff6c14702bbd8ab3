import { formatHostAddress } from "@daos/hostlist";
import type { Logger } from "@daos/log";
import type { Member } from "@daos/member-store";
import { type Clock, fanOut } from "@daos/sys";
import type { TermOptions } from "./action-options.ts";
import type { ActionResult } from "./action-result.ts";
import { faultCancelled, faultOf } from "./member-faults.ts";
import { type HostMembers, membersByHost } from "./members-by-host.ts";

interface Wait {
  readonly signal: AbortSignal;
}

/**
 * Does one step of an action for many members, host by host: a bounded number of hosts at a time, with a deadline for each host.
 *
 * @param call asks the host of one member
 * @throws Fault leadershipLost
 */
export type MemberStep = (
  action: string,
  members: readonly Member[],
  options: TermOptions,
  call: (member: Member, wait: Wait) => Promise<void>,
) => Promise<readonly ActionResult[]>;

/** {@link MemberStep} with a log and a clock. */
export function memberStep({ log, clock }: { readonly log: Logger; readonly clock: Clock }): MemberStep {
  return async (action, members, options, call) => {
    const { fanout, timeoutMs, signal, checkTerm, callerSignal } = options;

    const oneMember = async (member: Member, host: string, wait: Wait): Promise<ActionResult> => {
      try {
        // No further step begins for a caller that has given up.
        callerSignal.throwIfAborted();
        await call(member, wait);
        return { member, action };
      } catch (error) {
        checkTerm();
        const fault = callerSignal.aborted
          ? faultCancelled(action, host, error)
          : faultOf(error, action, host);
        log.error(`${action} failed`, { rank: member.rank, address: host, fault });
        return { member, action, fault };
      }
    };
    const oneHost = async ({ address, members: here }: HostMembers) => {
      checkTerm();
      const host = formatHostAddress(address);
      using limit = clock.deadline(timeoutMs, `${action} on ${host}`, signal);
      return await Promise.all(here.map((member) => oneMember(member, host, limit)));
    };

    const results: ActionResult[] = [];
    for await (const done of fanOut(membersByHost(members), () => fanout, oneHost)) results.push(...done);
    checkTerm();
    const sorted = results.sort((a, b) => a.member.rank - b.member.rank);
    options.onStep?.(sorted);
    return sorted;
  };
}

import { formatHostAddress } from "@daos/hostlist";
import type { Logger } from "@daos/log";
import type { Member } from "@daos/member-store";
import type { Clock } from "@daos/sys";
import type { TermOptions } from "./action-options.ts";
import type { ActionResult } from "./action-result.ts";
import { faultCancelled, faultOf } from "./member-faults.ts";
import { eachOf, type HostMembers, membersByHost } from "./members-by-host.ts";

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
  call: (member: Member, wait: { readonly signal: AbortSignal }) => Promise<void>,
) => Promise<readonly ActionResult[]>;

/** {@link MemberStep} with a log and a clock. */
export function memberStep({ log, clock }: { readonly log: Logger; readonly clock: Clock }): MemberStep {
  return async (action, members, options, call) => {
    const results: ActionResult[] = [];
    const { fanout, timeoutMs, signal, checkTerm } = options;
    await eachOf(membersByHost(members), fanout, async ({ address, members: here }: HostMembers) => {
      checkTerm();
      const host = formatHostAddress(address);
      using limit = clock.deadline(timeoutMs, `${action} on ${host}`, signal);
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
            log.error(`${action} failed`, { rank: member.rank, address: host, fault });
            results.push({ member, action, fault });
          }
        }),
      );
    });
    checkTerm();
    const sorted = results.sort((a, b) => a.member.rank - b.member.rank);
    options.onStep?.(sorted);
    return sorted;
  };
}

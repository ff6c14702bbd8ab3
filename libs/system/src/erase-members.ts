import { type Fault, FaultCode, isUnreachable } from "@daos/fault";
import type { Member } from "@daos/member-store";
import type { TermOptions } from "./action-options.ts";
import { type ActionResult, inOrder } from "./action-result.ts";
import { faultNotThere, faultRunning } from "./member-faults.ts";
import type { TermAction } from "./term-action.ts";

/**
 * Erases members that do not run, and the identities in their storage. With `force` also members whose host cannot be
 * reached; if such a host comes back, its engine asks to join as a new engine with its old rank.
 *
 * @param holdsMembers true when the list of the members is in the storage of this engine, and is lost with it
 */
export async function eraseMembers(
  members: readonly Member[],
  action: TermAction,
  holdsMembers: (member: Member) => boolean,
): Promise<readonly ActionResult[]> {
  const { membership, options, calls, step } = action;
  const results = new Map<string, ActionResult>();
  for (const member of members) {
    if (mayRun(member, options.force))
      results.set(member.uuid, { member, action: "erase", fault: faultRunning(member) });
  }
  const stopped = members.filter(({ uuid, replacedBy }) => !results.has(uuid) && replacedBy === undefined);
  const eraseSome = async (some: readonly Member[], how: TermOptions) => {
    const done = await step("erase", some, how, (member, wait) =>
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
  // A member whose host could not be reached may have come back and joined meanwhile.
  const forget = async ({ uuid, incarnation }: Member) => {
    const forgotten = await membership.erase(uuid, incarnation);
    const member = membership.byUuid(uuid);
    if (!forgotten && member !== undefined)
      results.set(uuid, { member, action: "erase", fault: faultRunning(member) });
  };
  // The storage of a replaced engine was formatted.
  const replaced = members.filter(({ uuid, replacedBy }) => !results.has(uuid) && replacedBy !== undefined);
  for (const member of replaced) results.set(member.uuid, { member, action: "erase" });
  const erased = await eraseSome(
    stopped.filter((member) => !holdsMembers(member)),
    options,
  );
  await Promise.all([...replaced, ...erased].map(forget));
  // The members' file is on the storage of the holder, and its term ends with it. The holder is therefore erased last,
  // after all members have been removed.
  const holders = stopped.filter((member) => holdsMembers(member));
  await Promise.all(holders.map(forget));
  options.checkTerm();
  await eraseSome(
    holders.filter(({ uuid }) => !results.has(uuid)),
    { ...options, signal: options.callerSignal, checkTerm: () => {} },
  );
  return inOrder(members, results);
}

/** True when its host has another engine, or no engine with that rank: the storage was replaced or is missing. */
function isNotThere({ code }: Fault): boolean {
  return code === FaultCode.engineNotHere;
}

function mayRun({ state }: Member, force: boolean): boolean {
  if (state === "stopped" || state === "excluded" || state === "errored" || state === "replaced")
    return false;
  return !(force && (state === "unresponsive" || state === "joining"));
}

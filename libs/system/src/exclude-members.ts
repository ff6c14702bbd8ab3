import type { Logger } from "@daos/log";
import type { Member } from "@daos/member-store";
import type { Membership } from "@daos/membership";
import type { ActionResult } from "./action-result.ts";
import { whyNot } from "./left-out-members.ts";
import type { TermAction } from "./term-action.ts";

/** Excludes members, then stops their engines. A member whose engine cannot be reached is excluded nevertheless. */
export async function excludeMembers(
  members: readonly Member[],
  action: TermAction,
  log: Logger,
): Promise<readonly ActionResult[]> {
  const { membership, options, calls, step } = action;
  const before = await membership.exclude(
    members.map(({ uuid }) => uuid),
    "by an administrator",
  );
  // The engine of a member that was excluded before may not have been reached then.
  const running = before.filter(({ state }) => state !== "stopped" && state !== "replaced");
  const killed = await step("stop", running, options, (member, wait) =>
    calls.killRank(member.address, member.rank, { force: options.force, signal: wait.signal }),
  );
  const notes = new Map<string, string>();
  for (const { member, fault } of killed) {
    if (fault === undefined) continue;
    const { rank, uuid } = member;
    notes.set(uuid, `its engine was not stopped: ${fault.reason ?? fault.description}`);
    log.warn("an excluded rank could not be stopped", { rank, reason: fault.message });
  }
  return members.map((member) => ({ member, action: "exclude", note: notes.get(member.uuid) }));
}

/** Lets excluded members join again. */
export async function clearExclude(
  members: readonly Member[],
  membership: Membership,
): Promise<readonly ActionResult[]> {
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

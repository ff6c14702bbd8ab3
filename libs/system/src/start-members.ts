import type { Member } from "@daos/member-store";
import type { Clock } from "@daos/sys";
import { type ActionResult, inOrder } from "./action-result.ts";
import { faultExcluded, faultNotJoined, faultReplaced } from "./member-faults.ts";
import type { TermAction } from "./term-action.ts";

/** Minimum time in which a started engine must join before the start counts as failed, ms. */
const JOIN_WAIT_MS = 60_000;
const JOIN_LOOK_MS = 100;

/** Starts engines that are not in service, this host's first, and waits until they have joined. */
export async function startMembers(
  members: readonly Member[],
  action: TermAction,
  clock: Clock,
): Promise<readonly ActionResult[]> {
  const { membership, options, calls, step, isHere } = action;
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
  const here = waiting.filter((member) => isHere(member));
  const elsewhere = waiting.filter((member) => !isHere(member));
  for (const some of [here, elsewhere]) {
    const asked = await step("start", some, options, (member, wait) =>
      calls.startRank(member.address, member.rank, wait),
    );
    for (const result of asked) results.set(result.member.uuid, result);
    const started = asked.filter(({ fault }) => fault === undefined).map(({ member }) => member);
    for (const member of await notJoined(started, action, clock))
      results.set(member.uuid, { member, action: "join", fault: faultNotJoined(member, membership) });
  }
  return inOrder(members, results);
}

/** Waits for started members to join. @returns the members that have not joined in time */
async function notJoined(
  started: readonly Member[],
  { membership, options }: TermAction,
  clock: Clock,
): Promise<readonly Member[]> {
  const until = clock.now() + Math.max(JOIN_WAIT_MS, options.timeoutMs);
  let missing = started;
  for (;;) {
    options.checkTerm();
    missing = missing.filter(({ uuid, incarnation }) => {
      const now = membership.byUuid(uuid);
      return now === undefined || now.state !== "joined" || now.incarnation === incarnation;
    });
    if (missing.length === 0 || clock.now() > until) return missing;
    await clock.delay(JOIN_LOOK_MS, options);
  }
}

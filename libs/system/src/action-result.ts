import type { Fault } from "@daos/fault";
import type { Member, MemberState } from "@daos/member-store";
import type { Membership } from "@daos/membership";
import { formatRankSet } from "@daos/rank";

/** The result of an action for one member; `fault` is absent on success. */
export interface ActionResult {
  readonly member: Member;
  /** The step that was done, or that failed. */
  readonly action: string;
  readonly fault?: Fault | undefined;
  /** A note on success. */
  readonly note?: string | undefined;
  /** Its state, when the store could not record it. */
  readonly state?: MemberState | undefined;
}

/** The results by the uuid of their member. */
export const byUuid = (results: readonly ActionResult[]): ReadonlyMap<string, ActionResult> =>
  new Map(results.map((result) => [result.member.uuid, result]));

/** The results in the order of the members. */
export function inOrder(
  members: readonly Member[],
  results: ReadonlyMap<string, ActionResult>,
): readonly ActionResult[] {
  return members.map(({ uuid }) => results.get(uuid)).filter((result) => result !== undefined);
}

/** Makes one event for all members for which an administrator's action failed. */
export function addFailureEvent(
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

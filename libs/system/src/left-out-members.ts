import type { Member } from "@daos/member-store";
import type { ActionOptions } from "./action-options.ts";
import type { ActionResult } from "./action-result.ts";

/** Splits members into those that an action is for, and those that it leaves out because they cannot be in service. */
export function partition(
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

/** Why a member cannot be in service, in words. */
export function whyNot({ state, replacedBy }: Member): string {
  return state === "replaced" ? `rank ${replacedBy} has replaced it` : "an administrator has excluded it";
}

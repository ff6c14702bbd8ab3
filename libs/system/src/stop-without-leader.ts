import type { Fault } from "@daos/fault";
import type { Member } from "@daos/member-store";
import type { ActionOptions } from "./action-options.ts";
import { type ActionResult, inOrder } from "./action-result.ts";
import type { ActionPorts } from "./term-action.ts";

/**
 * Kills engines while no host can lead, because the store of the members cannot be used: nothing is recorded. The next
 * leader learns their states from the reports of the hosts.
 *
 * @param options.why the fault of the store
 */
export async function stopWithoutLeader(
  members: readonly Member[],
  options: ActionOptions & { readonly why: Fault },
  ports: ActionPorts,
): Promise<readonly ActionResult[]> {
  const { calls, step, isHere } = ports;
  const { why, force, signal } = options;
  const note = `not recorded, the system has no leader: ${why.message}`;
  const how = { ...options, checkTerm: () => {}, callerSignal: signal };
  const results = new Map<string, ActionResult>();
  for (const here of [false, true]) {
    const some = members.filter((member) => isHere(member) === here);
    const killed = await step("stop", some, how, (member, wait) =>
      calls.killRank(member.address, member.rank, { force, signal: wait.signal }),
    );
    for (const result of killed)
      results.set(result.member.uuid, result.fault ? result : { ...result, note, state: "stopped" });
  }
  return inOrder(members, results);
}

import { type Fault, FaultCode, isUnreachable } from "@daos/fault";
import { formatHostAddress } from "@daos/hostlist";
import type { Member, MemberState } from "@daos/member-store";
import type { Condition, Membership } from "@daos/membership";
import { type ActionResult, inOrder } from "./action-result.ts";
import { faultNotRecorded } from "./faults.ts";
import { whyNot } from "./left-out-members.ts";
import type { TermAction } from "./term-action.ts";
import type { UnrecordedStates } from "./unrecorded-states.ts";

/**
 * Stops engines. When the whole system is stopped, all engines are prepared first, unless `force` is set. Then the
 * engines of other hosts are killed, and last those of this host. Engines of a host that does not answer are not
 * killed. Unresponsive hosts are asked for preparation too, so that dead ones cost no extra time.
 */
export async function stopMembers(
  members: readonly Member[],
  action: TermAction,
  unrecorded: UnrecordedStates,
): Promise<readonly ActionResult[]> {
  const { membership, options, calls, step, isHere } = action;
  const { force } = options;
  const results = new Map<string, ActionResult>();
  for (const member of members) {
    if (member.state === "stopped") results.set(member.uuid, { member, action: "stop" });
    if (member.state === "replaced")
      results.set(member.uuid, { member, action: "stop", note: `it does not run, ${whyNot(member)}` });
  }
  const running = members.filter(({ uuid }) => !results.has(uuid));
  const uuids = running.map(({ uuid }) => uuid);
  await membership.whileBusy(uuids, async () => {
    if (!force) {
      await membership.setState(uuids, { state: "stopping", reason: "" }).catch((error: unknown) => {
        throw faultNotRecorded(error);
      });
    }
    const isWhole = membership.list().every(({ uuid, state }) => !isInUse(state) || uuids.includes(uuid));
    const ready = running.filter(({ state }) => !force && isWhole && isInUse(state));
    const readied = await step("prep shutdown", ready, options, (member, { signal }) =>
      calls.prepShutdown(member.address, member.rank, { signal, timeoutMs: options.timeoutMs }),
    );
    const gone = goneHosts(readied);
    for (const result of readied)
      if (gone.has(formatHostAddress(result.member.address))) results.set(result.member.uuid, result);
    const reachable = running.filter((member) => {
      const fault = gone.get(formatHostAddress(member.address));
      if (fault !== undefined && !results.has(member.uuid))
        results.set(member.uuid, { member, action: "stop", fault });
      return fault === undefined;
    });
    const kill = async (some: readonly Member[]) => {
      const killed = await step("stop", some, options, (member, wait) =>
        calls.killRank(member.address, member.rank, { force, signal: wait.signal }),
      );
      for (const result of killed) results.set(result.member.uuid, result);
    };
    await kill(reachable.filter((member) => !isHere(member)));
    await kill(reachable.filter((member) => isHere(member)));
    const undecided = [...results.values()].filter(({ fault }) => fault?.code === FaultCode.cancelled);
    await putBack(membership, undecided, unrecorded);
    const decided = [...results.values()].filter((result) => !undecided.includes(result));
    for (const result of await recordStops(membership, decided, unrecorded))
      results.set(result.member.uuid, result);
  });
  return inOrder(members, results);
}

/**
 * The caller has given up: the outcome for these members is unknown, so their states stay until their hosts report
 * others.
 */
async function putBack(
  membership: Membership,
  results: readonly ActionResult[],
  unrecorded: UnrecordedStates,
): Promise<void> {
  const groups = Map.groupBy(results, ({ member: { state, reason } }) => JSON.stringify([state, reason]));
  for (const group of groups.values()) {
    const members = group.map(({ member }) => member);
    const [{ state, reason }] = members as [Member];
    await unrecorded.record(membership, members, { state, reason });
  }
}

/** @returns results that say which states could not be recorded */
async function recordStops(
  membership: Membership,
  results: readonly ActionResult[],
  store: UnrecordedStates,
): Promise<readonly ActionResult[]> {
  const unrecorded: ActionResult[] = [];
  const record = async (some: readonly ActionResult[], condition: Condition) => {
    const members = some.map(({ member }) => member);
    const fault = await store.record(membership, members, condition);
    if (fault === undefined) return;
    const note = `not recorded yet, the server tries again: ${fault.message}`;
    unrecorded.push(...some.map((result) => ({ ...result, note, state: condition.state })));
  };
  const stopped = results.filter(({ fault }) => fault === undefined);
  await record(stopped, { state: "stopped", reason: "by an administrator" });
  const failed = results.filter(({ fault }) => fault !== undefined);
  const groups = Map.groupBy(failed, ({ fault }) => (fault as Fault).message);
  for (const [reason, group] of groups) {
    const code = group[0]?.fault?.code ?? 0;
    const state = isUnreachable({ code }) ? "unresponsive" : "errored";
    await record(group, { state, reason: `not stopped: ${reason}` });
  }
  return unrecorded;
}

/** True when the data plane uses its engine, or may use it. */
function isInUse(state: MemberState): boolean {
  return state === "joined" || state === "unresponsive";
}

/**
 * The hosts without any answer to a step, as `10.0.0.1:10001`, and the reasons. A single engine that hangs does not
 * make its host dead.
 */
function goneHosts(results: readonly ActionResult[]): ReadonlyMap<string, Fault> {
  const gone = new Map<string, Fault>();
  const alive = new Set<string>();
  for (const { member, fault } of results) {
    const host = formatHostAddress(member.address);
    if (fault !== undefined && isUnreachable(fault)) gone.set(host, fault);
    else alive.add(host);
  }
  for (const host of alive) gone.delete(host);
  return gone;
}

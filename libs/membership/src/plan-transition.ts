import type { Member, MemberState } from "@daos/member-store";

/** A host's report about one of its engines. */
export interface EngineReport {
  /** Undefined while its storage has no superblock. */
  readonly uuid: string | undefined;
  /** Its index in the configuration of its host, from 0; undefined when not reported. */
  readonly instance: number | undefined;
  /** Of the join of the process that runs now; 0 before it has joined. */
  readonly incarnation: number;
  readonly state: "starting" | "serving" | "stopped" | "failed";
  /** Why it is not serving. */
  readonly reason: string;
}

/** A state and why. */
export interface Condition {
  readonly state: MemberState;
  readonly reason: string;
}

/**
 * The state that a host's report gives a member; undefined when nothing changes.
 *
 * A report about an earlier incarnation is ignored. A report about a later one applies: the engine joined in a time
 * that the store lacks, because the store was restored from an older copy. An excluded member stays excluded whatever
 * its engine does. A replaced member returns by a join only. A member that an administrator's command works on (`busy`)
 * is left to that command.
 */
export function planTransition(
  member: Pick<Member, "state" | "reason" | "incarnation">,
  report: Omit<EngineReport, "uuid" | "instance">,
  busy: boolean,
): Condition | undefined {
  if (member.state === "excluded" || member.state === "replaced" || busy) return undefined;
  if (report.incarnation !== 0 && report.incarnation < member.incarnation) return undefined;
  const next = conditionOf(report);
  // A process that has joined and is being set up is as good as its join.
  if (report.state === "starting" && report.incarnation !== 0 && member.state === "joined") return undefined;
  // Its host does not know who has stopped it.
  if (next.state === "stopped" && member.state === "stopped") return undefined;
  return next.state === member.state && next.reason === member.reason ? undefined : next;
}

function conditionOf({ state, reason }: Pick<EngineReport, "state" | "reason">): Condition {
  switch (state) {
    case "starting":
      return { state: "joining", reason };
    case "serving":
      return { state: "joined", reason: "" };
    case "stopped":
      return { state: "stopped", reason };
    case "failed":
      return { state: "errored", reason };
    default:
      return state satisfies never;
  }
}

import type { Member, MemberState } from "@daos/member-store";

/** What a host says of one of its engines. */
export interface EngineReport {
  /** Undefined while its storage has no superblock. */
  readonly uuid: string | undefined;
  /** Its place in the configuration of its host, from 0; undefined when that is not said. */
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
 * What a host's report makes of a member; undefined when it changes nothing.
 *
 * What an earlier incarnation did does not count. A later one has joined in a time that the store does not know of, because it
 * was restored from an older copy; it counts. An excluded member stays excluded whatever its engine does, a replaced one
 * comes back with a join only, and one that an administrator's command is working on (`busy`) is that command's to judge.
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

import type { MemberState } from "@daos/control-client";

const NAMES: Readonly<Record<MemberState, string>> = {
  unknown: "Unknown",
  joining: "Joining",
  joined: "Joined",
  stopping: "Stopping",
  stopped: "Stopped",
  excluded: "Excluded",
  unresponsive: "Unresponsive",
  errored: "Errored",
  replaced: "Replaced",
};

/** The names of all states. */
export const STATES: readonly string[] = Object.keys(NAMES);

/** A state as later releases of DAOS print it. */
export function showState(state: MemberState): string {
  return NAMES[state];
}

/** A time as `2026-11-23T12:00:00Z`; `-` for none. */
export function showTime(time: Date | undefined): string {
  if (time === undefined || Number.isNaN(time.getTime())) return "-";
  return time.toISOString().replace(/\.\d+Z$/, "Z");
}

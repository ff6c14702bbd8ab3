import { formatRankSet, parseRank } from "@daos/rank";

/** What can be done to members. */
export type MemberActionName = "stop" | "start" | "exclude" | "clear-exclude";

/** Ranks as dmg writes them: `0-3,7`. */
export function rankSet(ranks: readonly number[]): string {
  return formatRankSet(ranks.map((rank) => parseRank(rank)));
}

/** The dmg command that does the same as the page. @param dmg how dmg is called: `dmg -i` */
export function memberCommand(
  dmg: string,
  action: MemberActionName,
  ranks: readonly number[],
  force: boolean,
): string {
  return `${dmg} system ${action} --ranks ${rankSet(ranks)}${force ? " --force" : ""}`;
}

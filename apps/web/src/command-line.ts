import { formatRankSet, parseRank } from "@daos/rank";

/** The actions on members. */
export type MemberActionName = "stop" | "start" | "exclude" | "clear-exclude";

/** Ranks as dmg writes them: `0-3,7`. */
export function rankSet(ranks: readonly number[]): string {
  return formatRankSet(ranks.map((rank) => parseRank(rank)));
}

/** The dmg command that does the same as the page. @param dmg the command line of dmg: `dmg -i` */
export function memberCommand(
  dmg: string,
  action: MemberActionName,
  ranks: readonly number[],
  force: boolean,
): string {
  return `${dmg} system ${action} --ranks ${rankSet(ranks)}${force ? " --force" : ""}`;
}

/** A command line, with words quoted for a shell. Empty and false flags are omitted. */
export function command(
  dmg: string,
  name: string,
  flags: Readonly<Record<string, string | boolean>>,
): string {
  const words = Object.entries(flags).flatMap(([flag, value]) => {
    if (value === "" || value === false) return [];
    return value === true ? [flag] : [flag, quote(value)];
  });
  return [dmg, name, ...words].join(" ");
}

/** The dmg command line for other hosts. */
export function forHosts(dmg: string, given: string, hosts: string): string {
  if (hosts === given) return dmg;
  return `${dmg.replace(/ -l (?:'[^']*'|\S+)/, "")} -l ${quote(hosts)}`;
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

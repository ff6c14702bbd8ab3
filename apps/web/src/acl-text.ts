import { checkAclEntry } from "@daos/acl";
import { Fault } from "@daos/fault";

/** A line of an access control list that cannot be used. */
interface AclProblem {
  /** The number of the line, from 1. */
  readonly line: number;
  readonly text: string;
}

/** An access control list as typed: one entry a line, `#` starts a comment. */
export interface AclText {
  readonly entries: readonly string[];
  readonly problems: readonly AclProblem[];
}

/** Checks every line with the rules of dmg. Two entries for the same principal are a problem, as in the original. */
export function readAclText(text: string): AclText {
  const entries: string[] = [];
  const problems: AclProblem[] = [];
  const seen = new Map<string, number>();
  for (const [index, raw] of text.split("\n").entries()) {
    const entry = raw.trim();
    if (entry === "" || entry.startsWith("#")) continue;
    const line = index + 1;
    const reason = problemOf(entry);
    if (reason !== undefined) {
      problems.push({ line, text: reason });
      continue;
    }
    const [, flags = "", principal = ""] = entry.split(":");
    const who = `${flags.includes("G") ? "group" : "user"} ${principal}`;
    const before = seen.get(who);
    if (before !== undefined)
      problems.push({ line, text: `${principal} has an entry in line ${before} already` });
    seen.set(who, line);
    entries.push(entry);
  }
  return { entries, problems };
}

function problemOf(entry: string): string | undefined {
  try {
    checkAclEntry(entry);
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error.reason ?? error.description;
    throw error;
  }
}

import { Fault, FaultCode } from "@daos/fault";
import { parseRank, type Rank } from "./rank.ts";

/** Maximum number of ranks in a set, so that a typing error cannot exhaust memory. */
const MAX_SET = 1_000_000;

/**
 * The ranks of a set such as `0-3,7`, ascending, each once.
 *
 * @throws Fault with the part that is not a rank or a range
 */
export function parseRankSet(text: string): readonly Rank[] {
  return parseRankList(text).toSorted((a, b) => a - b);
}

/**
 * The ranks of a list such as `7,0-3`, in the order given, each once: the first ones of a pool have its service.
 *
 * @throws Fault with the part that is not a rank or a range
 */
export function parseRankList(text: string): readonly Rank[] {
  const ranks = new Set<Rank>();
  for (const part of text.split(",").map((raw) => raw.trim())) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (match === null) throw faultRankSet(text, `"${part}" is neither a rank nor a range`);
    const first = parseRank(match[1]);
    const last = match[2] === undefined ? first : parseRank(match[2]);
    if (last < first) throw faultRankSet(text, `the range "${part}" ends before it starts`);
    if (last - first >= MAX_SET)
      throw faultRankSet(text, `the range "${part}" has more than ${MAX_SET} ranks`);
    for (let rank: number = first; rank <= last; rank++) ranks.add(rank as Rank);
  }
  return [...ranks];
}

/** The shortest text for some ranks: `[3, 0, 1, 2, 7]` is `0-3,7`. */
export function formatRankSet(ranks: Iterable<Rank>): string {
  const sorted = [...new Set(ranks)].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let start = 0; start < sorted.length; ) {
    let end = start;
    while (end + 1 < sorted.length && Number(sorted[end + 1]) === Number(sorted[end]) + 1) end++;
    parts.push(start === end ? `${sorted[start]}` : `${sorted[start]}-${sorted[end]}`);
    start = end + 1;
  }
  return parts.join(",");
}

function faultRankSet(text: string, reason: string): Fault {
  return new Fault({
    domain: "client",
    code: FaultCode.rankInvalid,
    description: `the rank set "${text}" cannot be read`,
    reason,
    resolution: "write ranks and ranges separated by commas, as in 0-3,7",
  });
}

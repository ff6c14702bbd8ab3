export { MAX_RANK, NIL_RANK, parseRank, type Rank } from "./rank.ts";
export { formatRankSet, parseRankSet } from "./rank-set.ts";

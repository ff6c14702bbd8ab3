export { MAX_RANK, NIL_RANK, parseRank, type Rank } from "./rank.ts";
export { formatRankSet, parseRankList, parseRankSet } from "./rank-set.ts";

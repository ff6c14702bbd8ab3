export { openTerm } from "./open-term.ts";
export { sampleMember, sampleUuid } from "./sample-member.ts";
export { samplePool } from "./sample-pool.ts";

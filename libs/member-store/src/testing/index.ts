export { openTerm, type TestTerm } from "./open-term.ts";
export { sampleMember, sampleUuid } from "./sample-member.ts";

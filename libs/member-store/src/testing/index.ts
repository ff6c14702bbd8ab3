export { openTerm } from "./open-term.ts";
export { sampleMember, sampleUuid } from "./sample-member.ts";
export { SmallFileSystem } from "./small-file-system.ts";

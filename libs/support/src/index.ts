export { packSupport, type SupportEvent } from "./pack-support.ts";
export { readTail } from "./read-tail.ts";
export type { SupportItem } from "./support-item.ts";
export { faultArchiveNotWritten, writeArchive } from "./write-archive.ts";

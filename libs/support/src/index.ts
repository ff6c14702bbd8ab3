export { checkArchiveName } from "./check-archive-name.ts";
export { faultArchiveNotWritten } from "./faults.ts";
export { packSupport, type SupportEvent } from "./pack-support.ts";
export { readTail } from "./read-tail.ts";
export { removeOnSignals } from "./remove-on-signals.ts";
export type { SupportItem } from "./support-item.ts";
export { writeArchive } from "./write-archive.ts";

export { BackOff, backOffMs } from "./back-off.ts";
export { type BlockClaim, claimOf } from "./block-claim.ts";
export { readBlockSignatures } from "./block-signatures.ts";
export { type Clock, systemClock } from "./clock.ts";
export { abortable, type Deadline, deadline, delay, FORMAT_TIMEOUT_MS, isTimeout } from "./deadline.ts";
export { type DeviceOpener, findDeviceOpeners } from "./device-openers.ts";
export { hasErrorCode } from "./error-code.ts";
export { exists, isVisible } from "./exists.ts";
export { fanOut } from "./fan-out.ts";
export { makeDirectories } from "./make-directories.ts";
export { maxOpenFiles } from "./max-open-files.ts";
export { monotonicNow } from "./monotonic-now.ts";
export { linuxMountTable, type MountTable } from "./mount-table.ts";
export {
  isMountedOrBelow,
  isReadOnly,
  listMounts,
  type MountEntry,
  mountAt,
  parseMountInfo,
} from "./mounts.ts";
export { lookUpGroup, lookUpUser, type Owner } from "./owner.ts";
export {
  type Argv,
  type CommandResult,
  type CommandRunner,
  ProcessCommandRunner,
  type RunOptions,
} from "./run-command.ts";
export { startProcess } from "./start-process.ts";
export { linuxSysTree, type SysTree } from "./sys-tree.ts";
export { unclaimedUse } from "./unclaimed-use.ts";
export { syncDirectory, writeFileAtomic } from "./write-file-atomic.ts";

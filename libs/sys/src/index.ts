export { abortable, type Deadline, deadline, delay, isTimeout } from "./deadline.ts";
export { isMountedOrBelow, listMounts, type MountEntry, mountAt, parseMountInfo } from "./mounts.ts";
export {
  type Argv,
  type CommandResult,
  type CommandRunner,
  ProcessCommandRunner,
  type RunOptions,
} from "./run-command.ts";
export { syncDirectory, type WriteFileAtomicOptions, writeFileAtomic } from "./write-file-atomic.ts";

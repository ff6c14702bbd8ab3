import { DRIVER_JOURNAL, fileCache, fileJournal } from "@daos/bdev";
import { loggerJournal, standardErrorJournal } from "./journal.ts";
import { fileLocks, type LockFile } from "./locks.ts";
import { HELPER_RELEASE } from "./release.ts";
import { serveCaller } from "./serve-caller.ts";
import { ToolRunner } from "./tool-runner.ts";

/** Cleared by a reboot, which also returns every controller to the kernel. */
const CONTROLLERS = "/run/daos_admin/controllers.json";
/** Shared by all helpers of the host. */
const LOCKS = "/run/daos_admin_locks";

/**
 * The privileged process: one request on descriptor 0, one answer on descriptor 1. Only native/launcher.c and
 * native/listener.c start it. They reset all inherited state, and pass the caller's identity as arguments.
 */
async function main(args: readonly string[]): Promise<number> {
  const [shape, policyPath, logFile, ...ids] = args;
  const [uid, gid, pid] = ids.map(Number);
  if (
    process.geteuid?.() !== 0 ||
    process.getuid?.() !== 0 ||
    (shape !== "setuid" && shape !== "socket") ||
    policyPath === undefined ||
    logFile === undefined ||
    uid === undefined ||
    gid === undefined ||
    pid === undefined
  ) {
    process.stderr.write("daos_admin: this program is started by the launcher of daos-admin only\n");
    return 1;
  }
  // A terminal sends signals to whole process groups, which may include this process.
  for (const signal of ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTSTP", "SIGTTIN", "SIGTTOU"] as const) {
    process.on(signal, () => {});
  }
  const runner = new ToolRunner();
  const lockFile: LockFile = (file, options) => runner.lock(file, options);
  const outcome = await serveCaller(
    { input: process.stdin, output: process.stdout },
    {
      release: HELPER_RELEASE,
      shape,
      caller: { uid, gid, pid },
      policyPath,
      logFile,
      journal: shape === "socket" ? standardErrorJournal() : loggerJournal(),
      ports: {
        runner,
        cache: fileCache(CONTROLLERS),
        journal: fileJournal(DRIVER_JOURNAL),
        locksFor: (holder) => fileLocks({ directory: LOCKS, lockFile, holder }),
      },
    },
  );
  return outcome.kind === "done" ? 0 : 1;
}

// Pipes may still keep handles open. The answer has been sent.
process.exit(await main(process.argv.slice(2)));

import { errorText, Fault, FaultCode } from "@daos/fault";
import type { InstanceState } from "./instance-state.ts";

/** Neither PATH nor the server's own directory has an engine. */
export function faultEngineNotFound(searched: readonly string[]): Fault {
  return new Fault({
    domain: "engine",
    code: FaultCode.engineNotFound,
    description: `there is no daos_io_server in ${searched.join(", ")}`,
    resolution:
      "install the DAOS data plane and put its bin directory on PATH, or run the emulated engine: " +
      'daos-server start --engine emulated, or "engine: emulated" in the configuration',
  });
}

/** The engine's process could not be started at all. */
export function faultEngineStart(index: number, executable: string, cause: unknown): Fault {
  return new Fault({
    domain: "engine",
    code: FaultCode.engineStartFailed,
    description: `engine ${index} could not be started from ${executable}`,
    reason: errorText(cause),
    resolution:
      cause instanceof Fault
        ? cause.resolution
        : "check that the file exists and may be executed by the user that runs daos-server",
    cause,
  });
}

/** The engine's process ended although it was not asked to. */
export function faultEngineExited(
  index: number,
  how: string,
  phase: string,
  logFile: string | undefined,
): Fault {
  const where = logFile === undefined ? "the server's log" : `the server's log and ${logFile}`;
  return new Fault({
    domain: "engine",
    code: FaultCode.engineExited,
    description: `engine ${index} ended ${phase} (${how})`,
    resolution: `look for the engine's last messages in ${where}`,
  });
}

/** The engine runs but has not called NotifyReady in time. */
export function faultEngineNotReady(index: number, timeoutMs: number, logFile: string | undefined): Fault {
  return new Fault({
    domain: "engine",
    code: FaultCode.engineNotReady,
    description: `engine ${index} did not become ready within ${timeoutMs / 1000} s`,
    resolution:
      `look at what it does in ${logFile ?? "the server's log"}; a slow machine can be given more time with ` +
      "--engine-ready-timeout SECONDS",
  });
}

/** A call needs an engine that is not serving now. */
export function faultEngineNotRunning(index: number, state: string): Fault {
  return new Fault({
    domain: "engine",
    code: FaultCode.engineNotRunning,
    description: `engine ${index} is not serving (it is ${state})`,
    resolution: "wait until it is ready, or look in the server's log for why it is not",
  });
}

/** An engine can be erased only while it is stopped. */
export function faultEngineRuns(index: number, state: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.memberRunning,
    description: `cannot erase engine ${index}: it is ${state}`,
    resolution: "stop it first (dmg system stop)",
  });
}

/** NotifyReady named something that is not a socket. */
export function faultNotifyReadySocket(path: string, reason: string): Fault {
  return new Fault({
    domain: "engine",
    code: FaultCode.engineStartFailed,
    description: `an engine announced the dRPC socket ${JSON.stringify(path)}`,
    reason,
    resolution: "check that engine and server use the same socket_dir",
  });
}

/** A format is refused because the engine does not wait for one. */
export function faultFormatNotAwaited(
  index: number,
  mount: string,
  state: Exclude<InstanceState, { readonly kind: "awaiting format" }>,
): Fault {
  const refused = (code: FaultCode, why: string, resolution: string) =>
    new Fault({
      domain: "storage",
      code,
      description: `cannot format the storage of engine ${index} (${mount}), ${why}`,
      ...(state.kind === "restarting" ? { reason: state.reason } : {}),
      ...(state.kind === "failed" ? { reason: state.fault.message } : {}),
      resolution,
    });
  switch (state.kind) {
    case "starting":
    case "serving":
    case "restarting": {
      const why = {
        starting: "whose engine is being started",
        serving: "whose engine runs",
        restarting: "whose engine has ended and is about to be started again",
      }[state.kind];
      return refused(
        FaultCode.storageFormatOnRunningSystem,
        why,
        "if its data is not needed any more, stop the engine and erase it (dmg system stop, dmg system erase), then format with --reformat",
      );
    }
    case "stopped":
      return refused(
        FaultCode.storageFormatNotAwaited,
        "which holds the data of an engine that was stopped",
        "if its data is not needed any more, erase the engine (dmg system erase), then format with --reformat",
      );
    case "failed":
      return refused(
        FaultCode.storageFormatNotAwaited,
        "whose engine has failed",
        "correct what made it fail and start it again (dmg system start); if its data is not needed any more, erase it (dmg system erase), then format with --reformat",
      );
    case "new":
      return refused(
        FaultCode.storageFormatNotAwaited,
        "which has not been opened yet",
        "wait until the server has started, then repeat the command",
      );
    case "formatting":
      return refused(
        FaultCode.storageFormatNotAwaited,
        "which is being formatted already",
        "wait for the end of that format, or cancel it, then repeat the command",
      );
    default:
      return state satisfies never;
  }
}

/** The storage on which an engine was accepted is missing or changed. */
export function faultStorageLost(index: number, mount: string, losses: readonly string[]): Fault {
  return new Fault({
    domain: "storage",
    code: FaultCode.storageLost,
    description: `cannot use the storage of engine ${index}`,
    reason: losses.join("; "),
    resolution:
      `restore what is missing, then start the engine (dmg system start); if the contents of ${mount} are lost for good, ` +
      "start the engine nevertheless: it then waits for dmg storage format",
  });
}

/**
 * A file that the engine or its server needs cannot be written to its SCM.
 *
 * @param next what to do when it can be written again
 */
export function faultStorageUnwritable(
  path: string,
  mount: string,
  cause: unknown,
  next = "start the engine again (dmg system start, or daos-server start if the server has ended)",
): Fault {
  return new Fault({
    domain: "storage",
    code: FaultCode.storageUnwritable,
    description: `cannot write ${path}`,
    reason: errorText(cause),
    resolution: `make room in ${mount}, or mount it read-write for the user that runs daos-server, then ${next}; a file system that became read-only by itself is damaged (dmesg)`,
    cause,
  });
}

/** A block device refuses the format. This was found before anything was changed. */
export function faultNothingFormatted(index: number, mount: string, refusal: Fault): Fault {
  return new Fault({
    domain: refusal.domain,
    code: refusal.code,
    description: `cannot format the storage of engine ${index} (${mount}), nothing was changed: ${refusal.message}`,
    resolution: refusal.resolution,
    cause: refusal,
  });
}

/** The storage is formatted already, and `reformat` was not set. */
export function faultAlreadyFormatted(mount: string): Fault {
  return new Fault({
    domain: "storage",
    code: FaultCode.storageAlreadyFormatted,
    description: `cannot format SCM at ${mount}, which is formatted already`,
    resolution: "if its data is not needed any more, format it again with dmg storage format --reformat",
  });
}

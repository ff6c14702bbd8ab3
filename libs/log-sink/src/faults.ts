import { errorText, Fault, FaultCode } from "@daos/fault";

/** A log file cannot be opened for writing. */
export function faultLogFile(file: string, cause: unknown): Fault {
  return new Fault({
    domain: "config",
    code: FaultCode.logFileUnusable,
    description: `the log file ${file} cannot be opened for writing`,
    reason: errorText(cause),
    resolution: "make its directory, let this user write to it, or name another file in the configuration",
    cause,
  });
}

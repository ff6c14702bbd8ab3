import { dirname } from "node:path";
import { errorText, Fault, FaultCode } from "@daos/fault";

/** An archive for support cannot be written. */
export function faultArchiveNotWritten(path: string, cause: unknown): Fault {
  return new Fault({
    domain: "client",
    code: FaultCode.archiveNotWritten,
    description: `cannot write the archive ${path}`,
    reason: reasonOf(path, cause),
    resolution: "name another file with --output, in a directory with room for it",
    cause,
  });
}

/** `--output` does not name a file. */
export function faultNoArchiveName(output: string, reason: string): Fault {
  return new Fault({
    domain: "client",
    code: FaultCode.usage,
    description: `cannot write an archive to --output ${JSON.stringify(output)}`,
    reason,
    resolution: "name a new file with --output, or leave it out for one in this directory",
  });
}

/** The meanings of errors of the file system. */
function reasonOf(path: string, cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  switch (code) {
    case "EEXIST":
      return "there is such a file, and it is not replaced";
    case "ENOENT":
      return `the directory ${dirname(path)} does not exist`;
    case "ENOTDIR":
      return `${dirname(path)} is not a directory`;
    case "EACCES":
    case "EPERM":
      return `this user may not write to ${dirname(path)}`;
    case "EROFS":
      return `${dirname(path)} is read-only`;
    case "ENOSPC":
    case "EDQUOT":
      return `there is no space left in ${dirname(path)}`;
    default:
      return errorText(cause);
  }
}

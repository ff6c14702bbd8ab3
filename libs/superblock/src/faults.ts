import { errorText, Fault, FaultCode } from "@daos/fault";

/** The server does not run with such a superblock. Without it, it waits for a format. */
function startOver(path: string): string {
  return `move ${path} away, start daos-server again, then dmg storage format --reformat`;
}

/** The file exists but cannot be read: a directory, a link, no permission. */
export function faultSuperblockUnreadable(path: string, reason: string, cause?: unknown): Fault {
  return new Fault({
    domain: "superblock",
    code: FaultCode.superblockUnreadable,
    description: `the superblock ${path} cannot be read`,
    reason,
    resolution: `make it a regular file of the user that runs daos-server, restored from a copy; or, if the data is not needed: ${startOver(path)}`,
    cause,
  });
}

/** The superblock cannot be written: storage read-only, full or missing, or no permission. */
export function faultSuperblockUnwritable(path: string, cause: unknown): Fault {
  return new Fault({
    domain: "superblock",
    code: FaultCode.superblockUnwritable,
    description: `the superblock ${path} cannot be written`,
    reason: errorText(cause),
    resolution:
      "check that scm_mount is mounted read-write, has space, and belongs to the user that runs daos-server",
    cause,
  });
}

/** The file is empty, torn, damaged or not a superblock. */
export function faultSuperblockMalformed(path: string, reason: string, cause?: unknown): Fault {
  return new Fault({
    domain: "superblock",
    code: FaultCode.superblockMalformed,
    description: `the superblock ${path} is damaged`,
    reason,
    resolution: `check the device and the kernel's log for errors and restore the file from a copy; or, if the data is not needed: ${startOver(path)}`,
    cause,
  });
}

/** The storage belongs to another system. */
export function faultSuperblockOtherSystem(path: string, found: string, expected: string): Fault {
  return new Fault({
    domain: "superblock",
    code: FaultCode.superblockOtherSystem,
    description: `the storage of ${path} belongs to the system "${found}", not to "${expected}"`,
    resolution: `set name: ${found} in the server's configuration, or use another scm_mount; to give the storage to "${expected}" and lose its data: ${startOver(path)}`,
  });
}

/** A later release wrote the superblock. */
export function faultSuperblockNewerVersion(path: string, version: number): Fault {
  return new Fault({
    domain: "superblock",
    code: FaultCode.superblockNewerVersion,
    description: `the superblock ${path} has version ${version}, this release knows version 0`,
    resolution: `start the storage with the release that wrote it; to use it with this release and lose its data: ${startOver(path)}`,
  });
}

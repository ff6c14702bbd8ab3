import { errorText } from "./error-text.ts";
/** The part of the control plane that raised a fault; printed in front of it. */
export type FaultDomain =
  | "general"
  | "storage"
  | "scm"
  | "bdev"
  | "network"
  | "config"
  | "superblock"
  | "engine"
  | "drpc"
  | "system"
  | "security"
  | "helper"
  | "client"
  | "daos";

export interface FaultOptions {
  readonly domain: FaultDomain;
  /** One of `FaultCode`, or a data-plane error number (1000-2999). */
  readonly code: number;
  /** What could not be done and the value seen, without a full stop. */
  readonly description: string;
  /** The cause, if it is known and not in the description. */
  readonly reason?: string | undefined;
  /** What the operator can do now. */
  readonly resolution: string;
  /** Control address of the leader, `host:port`, of a host that refuses because it does not lead. */
  readonly leader?: string | undefined;
  readonly cause?: unknown;
}

/**
 * A failure that an operator can see and act on. A bug is a plain `Error`; an expected answer is a union.
 *
 * @see DAOS 0.8.0 src/control/fault/fault.go
 */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly domain: FaultDomain;
  readonly code: number;
  readonly description: string;
  readonly reason: string | undefined;
  readonly resolution: string;
  readonly leader: string | undefined;

  constructor(options: FaultOptions) {
    super(
      options.reason === undefined ? options.description : join(options.description, options.reason),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.domain = options.domain;
    this.code = options.code;
    this.description = options.description;
    this.reason = options.reason;
    this.resolution = options.resolution;
    this.leader = options.leader;
  }

  /** `scm: code = 207 description = "..."`, the line release 0.8.0 prints. */
  override toString(): string {
    return `${this.domain}: code = ${this.code} description = "${this.message}"`;
  }
}

/** A reason of several lines starts on a new line. */
function join(description: string, reason: string): string {
  return reason.startsWith("\n") ? `${description}:${reason}` : `${description}: ${reason}`;
}

/** The second line that release 0.8.0 prints of a fault: `scm: code = 207 resolution = "..."`. */
export function showResolution(fault: Fault): string {
  return `${fault.domain}: code = ${fault.code} resolution = "${fault.resolution}"`;
}

/** True for a fault with this code, whatever its text. Faults are compared by code only. */
export function hasCode(error: unknown, code: number): error is Fault {
  return error instanceof Fault && error.code === code;
}

const MAKE_ROOM = (where: string) =>
  `make room where ${where} is (df -h and df -i show it), then repeat the command or start the program again`;
const ALLOW = (where: string) => `let the user that runs this program use ${where}`;
const MOVE_AWAY = (where: string) => `there is something else where ${where} is expected: move it away`;
const ALLOW_FILES = () =>
  "allow more open files (ulimit -n; LimitNOFILE= of the service), and look for what has them open";

/** What an operator can do about failures of the operating system, by their codes. */
const SYSTEM_RESOLUTIONS: Readonly<Record<string, (where: string) => string>> = {
  ENOSPC: MAKE_ROOM,
  EDQUOT: MAKE_ROOM,
  EROFS: (where) =>
    `mount the file system of ${where} read-write; if it was, the kernel has found an error on it (dmesg)`,
  EIO: (where) => `the device of ${where} fails: look in the kernel's log (dmesg)`,
  EACCES: ALLOW,
  EPERM: ALLOW,
  ENOTDIR: MOVE_AWAY,
  EISDIR: MOVE_AWAY,
  ELOOP: MOVE_AWAY,
  EMFILE: ALLOW_FILES,
  ENFILE: ALLOW_FILES,
};

function systemResolution(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, path } = error as NodeJS.ErrnoException;
  return SYSTEM_RESOLUTIONS[code ?? ""]?.(path ?? "what the message names");
}

/**
 * Turns any thrown value into a fault; call it once, at an edge. A fault is returned unchanged. Anything else becomes code
 * 0 with its text.
 */
export function toFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const text = errorText(error);
  return new Fault({
    domain: "general",
    code: 0,
    description: text,
    resolution:
      systemResolution(error) ??
      "this is not a known failure: look in the server's log, and report it with the log attached",
    cause: error,
  });
}

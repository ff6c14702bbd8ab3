import { Fault, FaultCode } from "@daos/fault";

/** The policy does not allow the request. */
export function faultNotAllowed(attempted: string, reason: string, source: string, remedy: string): Fault {
  return new Fault({
    domain: "helper",
    code: FaultCode.helperRefused,
    description: `cannot ${attempted}`,
    reason: `${reason} (${source})`,
    resolution: remedy,
  });
}

/** The policy cannot be used. Every change is refused until it is repaired. */
export function faultPolicyInvalid(path: string, reason: string, cause?: unknown): Fault {
  return new Fault({
    domain: "helper",
    code: FaultCode.helperPolicyInvalid,
    description: `cannot read the helper's policy ${path}`,
    reason,
    resolution: "let root repair the file; daos-admin doctor checks it, docs/helper.md describes it",
    cause,
  });
}

/** Another request holds the lock. */
export function faultBusy(what: string, holder: string, waitedMs: number): Fault {
  return new Fault({
    domain: "helper",
    code: FaultCode.helperBusy,
    description: `cannot use ${what}: another request has locked it${waitedMs > 0 ? `, also after ${Math.round(waitedMs / 1000)} s` : ""}`,
    ...(holder === "" ? {} : { reason: `${holder} took it last` }),
    resolution: "wait for its end, which the helper's log shows, then ask again",
  });
}

/**
 * A path that users other than root could redirect.
 *
 * @param remedy `elsewhere` for a directory that must not be given to root, such as `/tmp` or a home directory
 */
export function faultUntrustedPath(
  path: string,
  component: string,
  reason: string,
  remedy: "repair" | "elsewhere" = "repair",
): Fault {
  return new Fault({
    domain: "helper",
    code: FaultCode.helperUntrustedPath,
    description: `cannot use ${path} as root: ${component} ${reason}`,
    resolution:
      remedy === "repair"
        ? `let root own ${component} and be the only one to write to it (chown root ${component}; chmod go-w ${component}), or use another path`
        : `use a path whose directories are all root's, such as one below /opt/daos or /usr/local: ${component} belongs to others too`,
  });
}

/** The audit cannot be written. Requests are refused without it. */
export function faultAuditFailed(path: string, reason: string, cause?: unknown): Fault {
  return new Fault({
    domain: "helper",
    code: FaultCode.helperAuditFailed,
    description: `cannot open the helper's log ${path}`,
    reason,
    resolution: `let root make its directory and remove what is at ${path} now, or set log_file in the policy`,
    cause,
  });
}

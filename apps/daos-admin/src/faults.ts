import { Fault, FaultCode } from "@daos/fault";

/** What the policy does not name. */
export function faultNotAllowed(attempted: string, reason: string, source: string, remedy: string): Fault {
  return new Fault({
    domain: "helper",
    code: FaultCode.helperRefused,
    description: attempted,
    reason: `${reason} (${source})`,
    resolution: remedy,
  });
}

/** The policy cannot be used; nothing is allowed until it is repaired. */
export function faultPolicyInvalid(path: string, reason: string, cause?: unknown): Fault {
  return new Fault({
    domain: "helper",
    code: FaultCode.helperPolicyInvalid,
    description: `read the helper's policy ${path}`,
    reason,
    resolution: "let root repair the file; daos-admin doctor checks it, docs/helper.md describes it",
    cause,
  });
}

/** Another request works on the same thing. */
export function faultBusy(what: string, holder: string, waitedMs: number): Fault {
  return new Fault({
    domain: "helper",
    code: FaultCode.helperBusy,
    description: `work on ${what}: another request has it${waitedMs > 0 ? `, also after ${Math.round(waitedMs / 1000)} s` : ""}`,
    ...(holder === "" ? {} : { reason: `${holder} took it last` }),
    resolution: "wait for its end, which the helper's log shows, then ask again",
  });
}

/**
 * A path that others than root could lead elsewhere.
 *
 * @param remedy `elsewhere` for a directory that is not root's to take, such as `/tmp` or a home
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
    description: `use ${path} as root: ${component} ${reason}`,
    resolution:
      remedy === "repair"
        ? `let root own ${component} and be the only one to write to it (chown root ${component}; chmod go-w ${component}), or use another path`
        : `use a path whose directories are all root's, such as one below /opt/daos or /usr/local: ${component} belongs to others too`,
  });
}

/** Without an audit nothing is done. */
export function faultAuditFailed(path: string, reason: string, cause?: unknown): Fault {
  return new Fault({
    domain: "helper",
    code: FaultCode.helperAuditFailed,
    description: `open the helper's log ${path}`,
    reason,
    resolution: `let root make its directory and remove what is at ${path} now, or set log_file in the policy`,
    cause,
  });
}

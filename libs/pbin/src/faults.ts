import { Fault, FaultCode } from "@daos/fault";

/** The other side sent bytes that are not valid in the protocol. */
export function faultMalformed(seen: string, cause?: unknown): Fault {
  return new Fault({
    domain: "helper",
    code: FaultCode.helperMalformed,
    description: `cannot communicate with the privileged helper: ${seen}`,
    resolution: "install daos-server and daos-admin of the same release: daos-admin doctor shows both",
    cause,
  });
}

/** The request has an unknown method, or a missing, unknown or invalid field. */
export function faultUnknownRequest(what: string): Fault {
  return new Fault({
    domain: "helper",
    code: FaultCode.helperUnknownRequest,
    description: `the privileged helper does not know this request: ${what}`,
    resolution: "install daos-server and daos-admin of the same release: daos-admin doctor shows both",
  });
}

/** No helper is installed or reachable. */
export function faultUnavailable(reason: string, cause?: unknown): Fault {
  return new Fault({
    domain: "helper",
    code: FaultCode.helperUnavailable,
    description: "cannot reach the privileged helper daos-admin",
    reason,
    resolution:
      'install it as root with "daos-admin install", add the server\'s user to the group daos_admins, and check with "daos-admin doctor"',
    cause,
  });
}

/** The helper exited or closed its side without an answer. */
export function faultNoAnswer(method: string, reason: string): Fault {
  return new Fault({
    domain: "helper",
    code: FaultCode.helperFailed,
    description: `the privileged helper gave no answer to ${method}`,
    reason,
    resolution: 'look in the helper\'s log, and check its installation with "daos-admin doctor"',
  });
}

import { Fault, FaultCode } from "@daos/fault";

/** Bytes that the two sides never send each other. */
export function faultMalformed(seen: string, cause?: unknown): Fault {
  return new Fault({
    domain: "helper",
    code: FaultCode.helperMalformed,
    description: `talk to the privileged helper: ${seen}`,
    resolution: "install daos-server and daos-admin of the same release: daos-admin doctor shows both",
    cause,
  });
}

/** A request outside of the closed set, or one with a missing, unknown or wrong field. */
export function faultUnknownRequest(what: string): Fault {
  return new Fault({
    domain: "helper",
    code: FaultCode.helperUnknownRequest,
    description: `a request that the privileged helper does not know: ${what}`,
    resolution: "install daos-server and daos-admin of the same release: daos-admin doctor shows both",
  });
}

/** There is no helper that this process could ask. */
export function faultUnavailable(reason: string, cause?: unknown): Fault {
  return new Fault({
    domain: "helper",
    code: FaultCode.helperUnavailable,
    description: "ask the privileged helper daos-admin",
    reason,
    resolution:
      'install it as root with "daos-admin install", add the server\'s user to the group daos_admins, and check with "daos-admin doctor"',
    cause,
  });
}

/** The helper ended, or closed its side, without an answer. */
export function faultNoAnswer(method: string, reason: string): Fault {
  return new Fault({
    domain: "helper",
    code: FaultCode.helperFailed,
    description: `${method}: the privileged helper gave no answer`,
    reason,
    resolution: 'look in the helper\'s log, and check its installation with "daos-admin doctor"',
  });
}

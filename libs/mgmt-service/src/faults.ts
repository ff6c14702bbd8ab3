import { Fault, FaultCode } from "@daos/fault";

/** A client means another system. */
export function faultOtherSystem(asked: string, here: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.otherSystem,
    description: `this host belongs to the system "${here}", not to "${asked}"`,
    resolution: "check the host list and the system name in the client's configuration",
  });
}

/** A server asks for a call into the engine that is not the leader's to make. */
export function faultNotForwarded(method: number): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.requestUnsupported,
    description: `method ${method} of the engine is not called for other hosts`,
    resolution: "run the same release on all access points",
  });
}

/** A server whose address is none of the leader or an access point asks for what only those may. */
export function faultNotDirecting(call: string, address: string): Fault {
  return new Fault({
    domain: "security",
    code: FaultCode.notAuthorized,
    description: `${call} is not allowed to the server at ${address}`,
    reason: "it is neither the leader nor an access point",
    resolution: "let the names in access_points resolve to every address of the access points, on every host",
  });
}

/** The engine has not answered in time; its host has. */
export function faultEngineHangs(rank: number, waitedMs: number, cause: unknown): Fault {
  return new Fault({
    domain: "engine",
    code: FaultCode.engineNotReady,
    description: `prepare rank ${rank} for shutdown`,
    reason: `the engine has not answered within ${Math.round(waitedMs / 100) / 10} s`,
    resolution: "look in the engine's log (log_file); dmg system stop kills it all the same",
    cause,
  });
}

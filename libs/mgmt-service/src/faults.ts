import { Fault, FaultCode } from "@daos/fault";

/** A client asks for another system. */
export function faultOtherSystem(asked: string, here: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.otherSystem,
    description: `this host belongs to the system "${here}", not to "${asked}"`,
    resolution: "check the host list and the system name in the client's configuration",
  });
}

/** Another access point forwards a call that is not about pools. */
export function faultNoPoolCall(method: number): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.requestUnsupported,
    description: `method ${method} is not passed on to the leader`,
    resolution: "run the same release on all access points",
  });
}

/** A server that is neither the leader nor an access point makes a call that only those may make. */
export function faultNotDirecting(call: string, address: string): Fault {
  return new Fault({
    domain: "security",
    code: FaultCode.notAuthorized,
    description: `${call} is not allowed to the server at ${address}`,
    reason: "it is neither the leader nor an access point",
    resolution: "let the names in access_points resolve to every address of the access points, on every host",
  });
}

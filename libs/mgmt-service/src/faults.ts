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

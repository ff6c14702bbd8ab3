import { Fault, FaultCode } from "@daos/fault";

/** A leader of another release refuses the join of an engine. */
export function faultJoinRefused(uuid: string, cause: Fault): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.unknown,
    description: `cannot join engine ${uuid}`,
    reason: cause.reason ?? cause.description,
    resolution:
      "a leader of release 0.8.0 keeps the members in memory, and refuses an engine that joins a second time until it is " +
      "started again: restart daos_server on the access point, and this engine joins by itself",
    cause,
  });
}

import { Fault, FaultCode } from "@daos/fault";

/** @param most the maximum number of watches of this kind of client */
export function faultTooManyWatches(who: string, most: number): Fault {
  return new Fault({
    domain: "security",
    code: FaultCode.connectionLimit,
    description: `cannot watch the health of this server: there are ${most} watches of ${who} already`,
    resolution: "ask with Check from time to time, or end some of the watches",
  });
}

export function faultServiceUnknown(name: string, known: readonly string[]): Fault {
  return new Fault({
    domain: "client",
    code: FaultCode.serviceUnknown,
    description: `this server has no service ${JSON.stringify(name)}`,
    resolution: `ask for one of these, or for the server as a whole with an empty name: ${known.join(", ")}`,
  });
}

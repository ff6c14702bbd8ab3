import { Fault, FaultCode } from "@daos/fault";

export function faultServiceUnknown(name: string, known: readonly string[]): Fault {
  return new Fault({
    domain: "client",
    code: FaultCode.serviceUnknown,
    description: `this server has no service ${JSON.stringify(name)}`,
    resolution: `ask for one of these, or for the server as a whole with an empty name: ${known.join(", ")}`,
  });
}

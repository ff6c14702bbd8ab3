import { Fault, FaultCode } from "@daos/fault";

/** The fault of a command line that cannot be understood. */
export function faultUsage(description: string, resolution: string, cause?: unknown): Fault {
  return new Fault({ domain: "client", code: FaultCode.usage, description, resolution, cause });
}

import { Fault, FaultCode } from "@daos/fault";

/** The fault of an invalid command line. */
export function faultUsage(description: string, resolution: string, cause?: unknown): Fault {
  return new Fault({ domain: "client", code: FaultCode.usage, description, resolution, cause });
}

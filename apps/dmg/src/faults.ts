import { Fault, FaultCode } from "@daos/fault";

/** The fault of a command line that cannot be understood. */
export function faultUsage(description: string, resolution: string, cause?: unknown): Fault {
  return new Fault({ domain: "client", code: FaultCode.usage, description, resolution, cause });
}

/** The fault of a size that cannot be read, or that makes no sense. */
export function faultSize(description: string): Fault {
  return new Fault({
    domain: "client",
    code: FaultCode.sizeInvalid,
    description,
    resolution: "write a number and a unit of 1024: 500MB, 1.5G, 2TB; a number without a unit is bytes",
  });
}

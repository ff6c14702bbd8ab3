import { Fault, type FaultDomain } from "@daos/fault";
import type * as z from "zod";
import type { faultMessage } from "./schemas.ts";

/** A fault as it is sent. Its cause is not sent. */
export type FaultMessage = z.output<typeof faultMessage>;

export function toFaultMessage(fault: Fault): FaultMessage {
  const { domain, code, description, reason, resolution } = fault;
  return { domain, code, description, ...(reason === undefined ? {} : { reason }), resolution };
}

/** The fault of the other side with its code. The caller sees no difference between a forwarded and a local request. */
export function fromFaultMessage(message: FaultMessage): Fault {
  // An unknown domain is printed as it is.
  return new Fault({ ...message, domain: message.domain as FaultDomain });
}

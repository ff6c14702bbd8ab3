import { Fault, type FaultDomain } from "@daos/fault";
import type { z } from "zod";
import type { faultMessage } from "./schemas.ts";

/** A fault as it crosses the wire; its cause stays on this side. */
export type FaultMessage = z.output<typeof faultMessage>;

export function toFaultMessage(fault: Fault): FaultMessage {
  const { domain, code, description, reason, resolution } = fault;
  return { domain, code, description, ...(reason === undefined ? {} : { reason }), resolution };
}

/** The fault of the other side, with its own code: who asked cannot tell that it was forwarded. */
export function fromFaultMessage(message: FaultMessage): Fault {
  // A domain that this release does not know is printed all the same.
  return new Fault({ ...message, domain: message.domain as FaultDomain });
}

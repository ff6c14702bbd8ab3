import { Fault, FaultCode } from "@daos/fault";

const SHOWN = 120;

/** The host list cannot be parsed. */
export function faultHostlist(text: string, reason: string): Fault {
  const shown = text.length <= SHOWN ? text : `${text.slice(0, SHOWN - 3)}...`;
  return new Fault({
    domain: "client",
    code: FaultCode.hostlistInvalid,
    description: `the host list "${shown}" cannot be read`,
    reason,
    resolution:
      "write hosts separated by commas or blanks, with ranges in brackets, as in node[1-8,10].cluster:10001",
  });
}

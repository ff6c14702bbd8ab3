import { etcdAdvice, isSpaceExceeded } from "@daos/etcd";
import { errorText, Fault, FaultCode } from "@daos/fault";

/** The access points cannot find out who leads. */
export function faultElectionUnreachable(cause: unknown): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.electionUnreachable,
    description: "the access points cannot agree on a leader",
    reason: isSpaceExceeded(cause)
      ? "etcd has raised its alarm NOSPACE and takes no writes: its database has reached --quota-backend-bytes"
      : errorText(cause),
    resolution: etcdAdvice(cause),
    cause,
  });
}

import { Code, ConnectError } from "@connectrpc/connect";
import { Fault, FaultCode } from "@daos/fault";
import { formatHostAddress } from "@daos/hostlist";
import type { HostConnection } from "./host-connection.ts";

/** True when the server does not know the request, because its release is older. */
export function isUnimplemented(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Unimplemented;
}

/**
 * The fault of a server whose release does not support a request. Nothing has been done.
 *
 * @param what as in `start ranks`
 * @param instead what the operator can do with such a server; empty for nothing
 */
export function faultServerTooOld(
  what: string,
  instead: string,
  { host }: Pick<HostConnection, "host">,
  cause: unknown,
): Fault {
  const update = "update daos-server on the access points";
  return new Fault({
    domain: "client",
    code: FaultCode.requestUnsupported,
    description: `cannot ${what} on ${formatHostAddress(host)}`,
    reason: "the server's release cannot do that, as release 0.8.0 could not; nothing has been done",
    resolution: instead === "" ? update : `${instead}, or ${update}`,
    cause,
  });
}

import { type DaosStatus, Fault, FaultCode, type FaultDomain, faultDaosStatus } from "@daos/fault";
import { ctl } from "@daos/proto";
import { faultFromText } from "@daos/rpc";

/** @throws Fault for a response of the data plane whose status is not 0 */
export function checkStatus(attempted: string, status: DaosStatus): void {
  if (status !== 0) throw faultDaosStatus(attempted, status);
}

/** The fault of a failed part of a response; undefined when it succeeded or is absent. */
export function stateFault(
  domain: FaultDomain & ("scm" | "bdev" | "storage"),
  attempted: string,
  state: ctl.ResponseState | undefined,
): Fault | undefined {
  if (state === undefined || state.status >= ctl.ResponseStatus.CTL_SUCCESS) return undefined;
  const sent = faultFromText(state.error, state.info);
  if (sent !== undefined) return sent;
  const codes = { scm: FaultCode.scmUnknown, bdev: FaultCode.bdevUnknown, storage: FaultCode.storageUnknown };
  return new Fault({
    domain,
    code: codes[domain],
    description: `cannot ${attempted}`,
    reason: state.error === "" ? ctl.ResponseStatus[state.status] : state.error,
    resolution: state.info === "" ? "look in the server's log" : state.info,
  });
}

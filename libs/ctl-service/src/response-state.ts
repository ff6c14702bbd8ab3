import { type Fault, showResolution } from "@daos/fault";
import { ctl } from "@daos/proto";

/** The state of a part of a request that succeeded; `info` is a note for the operator. */
export function stateSuccess(info = "") {
  return { status: ctl.ResponseStatus.CTL_SUCCESS, error: "", info };
}

/**
 * The state of a part that failed. The status shows an old client which part of the machine failed; `error` is the
 * fault, `info` its resolution.
 */
export function stateFault(fault: Fault) {
  return {
    status: STATUS[fault.domain] ?? ctl.ResponseStatus.CTL_ERR_APP,
    error: `${fault}`,
    info: showResolution(fault),
  };
}

const STATUS: Readonly<Partial<Record<Fault["domain"], ctl.ResponseStatus>>> = {
  scm: ctl.ResponseStatus.CTL_ERR_SCM,
  storage: ctl.ResponseStatus.CTL_ERR_SCM,
  bdev: ctl.ResponseStatus.CTL_ERR_NVME,
  config: ctl.ResponseStatus.CTL_ERR_CONF,
};

import { faultRequestInvalid } from "./faults.ts";
import { applyLimits, type Violation } from "./field-limit.ts";
import { METHOD_LIMITS } from "./method-limits.ts";

const JOIN = "/mgmt.MgmtSvc/Join";
const NIL_RANK = 4294967295;

/**
 * Checks every field of a request against {@link METHOD_LIMITS}, before a service sees it. Texts for people only are
 * cut and cleaned in place.
 *
 * @param path as in `/mgmt.MgmtSvc/Join`
 * @throws Fault requestInvalid that names the first field which is wrong
 */
export function checkRequest(path: string, message: object): void {
  const limit = METHOD_LIMITS.get(path);
  if (limit === undefined) throw new Error(`${path} has no limits`);
  const violation = applyLimits(message, limit.fields) ?? (path === JOIN ? checkJoin(message) : undefined);
  if (violation !== undefined) throw faultRequestInvalid(path, violation);
}

/** `recorded` means that the data plane knows the engine already, so the engine has a rank. */
function checkJoin(message: object): Violation | undefined {
  const { recorded, rank } = message as { readonly recorded: boolean; readonly rank: number };
  return recorded && rank === NIL_RANK
    ? { field: "rank", value: rank, limit: "a rank from 0 to 4294967294 when recorded is set" }
    : undefined;
}

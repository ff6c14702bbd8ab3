import type { Readable, Writable } from "node:stream";
import { Fault, FaultCode, showResolution } from "@daos/fault";
import { sameHandlers, serveRequest } from "@daos/pbin";
import { helperMethods } from "./methods.ts";

/**
 * Refuses a request that reached this program without its launcher, because the caller's identity is unknown.
 *
 * @returns false without a request, as at a terminal
 */
export async function refuseRequest(
  input: Readable & { isTTY?: boolean },
  output: Writable,
  errors: Writable,
): Promise<boolean> {
  if (input.isTTY === true) return false;
  const handlers = sameHandlers(helperMethods, () => Promise.reject(faultNotLaunched()));
  const outcome = await serveRequest({ input, output }, { methods: helperMethods, handlers });
  if (outcome.kind === "nothing") return false;
  const fault = outcome.kind === "done" ? faultNotLaunched() : outcome.fault;
  errors.write(`${fault}\n${showResolution(fault)}\n`);
  return true;
}

function faultNotLaunched(): Fault {
  return new Fault({
    domain: "helper",
    code: FaultCode.helperRefused,
    description: "this daos-admin was not started by its launcher: the caller is unknown",
    resolution: 'install the helper as root with "daos-admin install", and let daos-server start it',
  });
}

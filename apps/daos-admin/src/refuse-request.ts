import type { Readable, Writable } from "node:stream";
import { Fault, FaultCode, showResolution } from "@daos/fault";
import { type HelperHandlers, helperMethods, serveRequest } from "@daos/pbin";

/**
 * Answers a request that reached this program without its launcher: refused, as nobody vouches for the caller.
 *
 * @returns false when there was no request, as at a terminal
 */
export async function refuseRequest(
  input: Readable & { isTTY?: boolean },
  output: Writable,
  errors: Writable,
): Promise<boolean> {
  if (input.isTTY === true) return false;
  const refuse = () => Promise.reject(faultNotLaunched());
  const handlers = Object.fromEntries(
    Object.keys(helperMethods).map((method) => [method, refuse]),
  ) as unknown as HelperHandlers;
  const outcome = await serveRequest({ input, output }, { handlers });
  if (outcome.kind === "nothing") return false;
  const fault = outcome.kind === "done" ? faultNotLaunched() : outcome.fault;
  errors.write(`${fault}\n${showResolution(fault)}\n`);
  return true;
}

function faultNotLaunched(): Fault {
  return new Fault({
    domain: "helper",
    code: FaultCode.helperRefused,
    description: "this daos-admin was not started by its launcher, so it does not know who asks",
    resolution: 'install the helper as root with "daos-admin install", and let daos-server start it',
  });
}

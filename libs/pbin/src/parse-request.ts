import type { z } from "zod";
import { faultUnknownRequest } from "./faults.ts";
import {
  type HelperMethod,
  type HelperRequest,
  helperMethods,
  PROTOCOL_VERSION,
  requestEnvelope,
} from "./requests.ts";

/** A request that belongs to the closed set, and how long its caller will wait for the answer. */
export type ParsedRequest = HelperRequest & { readonly timeoutMs: number };

/**
 * Reads a decoded message as a request.
 *
 * @throws Fault helperUnknownRequest for another version, an unknown method, and a missing, unknown or wrong field
 */
export function parseRequest(message: unknown): ParsedRequest {
  const envelope = requestEnvelope.safeParse(message);
  if (!envelope.success) throw faultUnknownRequest(explain(envelope.error));
  const { version, method, timeoutMs, payload } = envelope.data;
  if (version !== PROTOCOL_VERSION) {
    throw faultUnknownRequest(`protocol version ${version}, where this is ${PROTOCOL_VERSION}`);
  }
  if (!isMethod(method)) throw faultUnknownRequest(`method ${JSON.stringify(method)}`);
  const parsed = helperMethods[method].payload.safeParse(payload);
  if (!parsed.success) throw faultUnknownRequest(`${method}: ${explain(parsed.error)}`);
  // The payload was read with the schema of this very method.
  return { method, payload: parsed.data, timeoutMs } as ParsedRequest;
}

function isMethod(name: string): name is HelperMethod {
  return Object.hasOwn(helperMethods, name);
}

function explain(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`))
    .join("; ")
    .slice(0, 500);
}

import type * as z from "zod";
import { PROTOCOL_VERSION, requestEnvelope } from "./envelopes.ts";
import { faultUnknownRequest } from "./faults.ts";
import { type MethodTable, type RequestOf, schemasOf } from "./method-table.ts";

/** A valid request and how long its caller waits for the answer. */
export type ParsedRequest<T extends MethodTable> = RequestOf<T> & { readonly timeoutMs: number };

/**
 * Reads a decoded message as a request of one of `methods`.
 *
 * @throws Fault helperUnknownRequest for another version, an unknown method, and a missing, unknown or wrong field
 */
export function parseRequest<T extends MethodTable>(methods: T, message: unknown): ParsedRequest<T> {
  const envelope = requestEnvelope.safeParse(message);
  if (!envelope.success) throw faultUnknownRequest(explain(envelope.error));
  const { version, method, timeoutMs, payload } = envelope.data;
  if (version !== PROTOCOL_VERSION) {
    throw faultUnknownRequest(`protocol version ${version}, where this is ${PROTOCOL_VERSION}`);
  }
  const schemas = schemasOf(methods, method);
  if (schemas === undefined) throw faultUnknownRequest(`method ${JSON.stringify(method)}`);
  const parsed = schemas.payload.safeParse(payload);
  if (!parsed.success) throw faultUnknownRequest(`${method}: ${explain(parsed.error)}`);
  // The payload was parsed with the schema of this method.
  return { method, payload: parsed.data, timeoutMs } as ParsedRequest<T>;
}

function explain(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`))
    .join("; ")
    .slice(0, 500);
}

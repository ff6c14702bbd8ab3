import { FORMAT_TIMEOUT_MS } from "@daos/sys";
import * as z from "zod";
import { boundedText, faultMessage } from "./schemas.ts";

/** Version of the messages. A helper refuses any other version. */
export const PROTOCOL_VERSION = 1;

/** The longest time a request may take, in milliseconds: that of a format (mkfs on a large namespace, many devices). */
export const MAX_TIMEOUT_MS = FORMAT_TIMEOUT_MS;

/** The frame that carries a request. */
export const requestEnvelope = z.strictObject({
  version: z.int().min(0),
  method: boundedText(64),
  /** How long the caller waits, ms. */
  timeoutMs: z.int().min(1).max(MAX_TIMEOUT_MS),
  payload: z.unknown(),
});

/** The helper may send any number of these before its answer. @see HelperProgress */
export const progressEnvelope = z.object({
  version: z.int().min(0),
  progress: z.object({
    device: z.string(),
    step: z.string(),
    fraction: z.number(),
    elapsedMs: z.number(),
    remainingMs: z.number().optional(),
  }),
});

/** The frame that carries the answer: a result, or a fault. */
export const responseEnvelope = z.object({
  version: z.int().min(0),
  error: faultMessage.nullable(),
  result: z.unknown(),
});

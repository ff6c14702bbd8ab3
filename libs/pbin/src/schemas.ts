import { z } from "zod";

/** Text that goes into paths and logs: bounded, nothing unprintable. */
export const boundedText = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u);
export const absolutePath = boundedText(4095).regex(/^\//);
/** A user or group; 4294967295 means "no change" to chown(2) and is none. */
export const accountId = z.int().min(0).max(4294967294);
export const count = z.int().min(0).max(0x7fffffff);
/** Bytes and counters, as digits on the wire. */
export const digits = z
  .string()
  .regex(/^\d{1,20}$/)
  .transform((value) => BigInt(value));

/** A property that is always there, but may be undefined: on the wire it is left out. */
export const orUndefined = <T extends z.ZodType>(schema: T) => schema.optional().transform((value) => value);

export const owner = z.strictObject({ uid: accountId, gid: accountId });

/** What crosses the wire when something fails. */
export const faultMessage = z.object({
  domain: z.string(),
  code: z.int(),
  description: z.string(),
  reason: z.string().optional(),
  resolution: z.string(),
});

/** For a method without arguments, or without a result. */
export const nothing = z.strictObject({});

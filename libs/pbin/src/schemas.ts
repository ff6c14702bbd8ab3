import * as z from "zod";

/** Text for paths and logs: bounded and printable. */
export const boundedText = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u);
export const absolutePath = boundedText(4095).regex(/^\//);
/** A user or group id. 4294967295 is refused: it means "no change" to chown(2). */
export const accountId = z.int().min(0).max(4294967294);
export const count = z.int().min(0).max(0x7fffffff);
/** Bytes and counters, as digits on the wire. */
export const digits = z
  .string()
  .regex(/^\d{1,20}$/)
  .transform((value) => BigInt(value));

/** A property that is always present but may be undefined. It is not sent when it is undefined. */
export const orUndefined = <T extends z.ZodType>(schema: T) => schema.optional().transform((value) => value);

export const owner = z.strictObject({ uid: accountId, gid: accountId });

/** A fault as it is sent. */
export const faultMessage = z.object({
  domain: z.string(),
  code: z.int(),
  description: z.string(),
  reason: z.string().optional(),
  resolution: z.string(),
});

/** For a method without arguments, or without a result. */
export const nothing = z.strictObject({});

import * as z from "zod";

/** Metadata of a key, shown by `config explain` and the JSON Schema. */
export interface KeyMeta {
  readonly description: string;
  /** The value when the key is absent. */
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
}

/** Kinds of values: a path, a text, a yes or no, a number. */
export const path = (meta: KeyMeta) =>
  z
    .string()
    .min(1)
    .meta({ ...meta });
export const text = (meta: KeyMeta) =>
  z
    .string()
    .min(1)
    .meta({ ...meta });
export const flag = (meta: KeyMeta) => z.boolean().meta({ ...meta });
export const count = (minimum: number, maximum: number, meta: KeyMeta) =>
  z
    .int()
    .min(minimum)
    .max(maximum)
    .meta({ ...meta });

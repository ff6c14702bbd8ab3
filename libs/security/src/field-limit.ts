import { cleanText } from "@daos/fault";

/** The limit of a field of a request. */
export type FieldLimit =
  /** Every value of its type: a flag, or a number of bytes. */
  | { readonly kind: "any" }
  | { readonly kind: "number"; readonly min: number; readonly max: number }
  /** A rank; with `nil` also 4294967295, which is none yet, or any. */
  | { readonly kind: "rank"; readonly nil: boolean }
  /** At most `max` UTF-16 units. `shape` says what `pattern` accepts. */
  | {
      readonly kind: "text";
      readonly max: number;
      readonly pattern: RegExp;
      readonly shape: string;
      /** It may be empty, when the sender has no value. */
      readonly optional?: boolean;
    }
  /** For people only: cut and cleaned instead of refused, so that what it belongs to is not lost. */
  | { readonly kind: "remark"; readonly max: number }
  | { readonly kind: "bytes"; readonly max: number }
  /** With `cut` what is too much is left out, otherwise it is refused. */
  | { readonly kind: "list"; readonly max: number; readonly of: FieldLimit; readonly cut?: boolean }
  /** A message, when it is there. */
  | { readonly kind: "message"; readonly fields: FieldLimits };

/** By the local names of the fields. */
export type FieldLimits = Readonly<Record<string, FieldLimit>>;

/** A value that breaks its limit. */
export interface Violation {
  /** As in `selection.hosts[3]`. */
  readonly field: string;
  readonly value: unknown;
  /** As in `a uuid, at most 36 characters`. */
  readonly limit: string;
}

const MAX_RANK = 4294967294;
const NIL_RANK = 4294967295;

/** A limit in words, for faults and docs. */
export function describeLimit(limit: FieldLimit): string {
  switch (limit.kind) {
    case "any":
      return "every value";
    case "number":
      return `${limit.min} to ${limit.max}`;
    case "rank":
      return `a rank from 0 to ${MAX_RANK}${limit.nil ? `, or ${NIL_RANK} for none` : ""}`;
    case "text":
      return `${limit.shape}, at most ${limit.max} characters${limit.optional === true ? ", or empty" : ""}`;
    case "remark":
      return `text, cut to ${limit.max} characters and cleaned`;
    case "bytes":
      return `at most ${limit.max} bytes`;
    case "list":
      return `at most ${limit.max}${limit.cut === true ? " (the rest is left out)" : ""}, each ${describeLimit(limit.of)}`;
    case "message":
      return "a message";
    default:
      return limit satisfies never;
  }
}

/** Cleans the remarks of a message in place, and finds the first field that breaks its limit. */
export function applyLimits(message: object, fields: FieldLimits, at = ""): Violation | undefined {
  const record = message as Record<string, unknown>;
  for (const [name, limit] of Object.entries(fields)) {
    const field = at === "" ? name : `${at}.${name}`;
    if (limit.kind === "remark") record[name] = cleanText(String(record[name]), limit.max);
    else {
      const violation = applyLimit(record[name], limit, field);
      if (violation !== undefined) return violation;
    }
  }
  return undefined;
}

function applyLimit(value: unknown, limit: FieldLimit, field: string): Violation | undefined {
  if (limit.kind === "list") return applyToList(value as unknown[], limit, field);
  if (limit.kind === "message")
    return value === undefined ? undefined : applyLimits(value as object, limit.fields, field);
  return isWithin(value, limit) ? undefined : { field, value, limit: describeLimit(limit) };
}

function applyToList(
  list: unknown[],
  limit: Extract<FieldLimit, { readonly kind: "list" }>,
  field: string,
): Violation | undefined {
  if (list.length > limit.max) {
    if (limit.cut !== true)
      return { field, value: `${list.length} entries`, limit: `at most ${limit.max} entries` };
    list.length = limit.max;
  }
  for (const [index, entry] of list.entries()) {
    if (limit.of.kind === "remark") list[index] = cleanText(String(entry), limit.of.max);
    else {
      const violation = applyLimit(entry, limit.of, `${field}[${index}]`);
      if (violation !== undefined) return violation;
    }
  }
  return undefined;
}

/** Whether a single value is within its limit. */
export function isWithin(
  value: unknown,
  limit: Exclude<FieldLimit, { readonly kind: "list" | "message" }>,
): boolean {
  switch (limit.kind) {
    case "any":
      return true;
    case "number":
      return Number.isSafeInteger(value) && Number(value) >= limit.min && Number(value) <= limit.max;
    case "rank":
      return (
        Number.isSafeInteger(value) &&
        Number(value) >= 0 &&
        Number(value) <= (limit.nil ? NIL_RANK : MAX_RANK)
      );
    case "text":
      if (typeof value !== "string" || value.length > limit.max) return false;
      return (value === "" && limit.optional === true) || limit.pattern.test(value);
    case "remark":
      return typeof value === "string" && value.length <= limit.max;
    case "bytes":
      return value instanceof Uint8Array && value.length <= limit.max;
    default:
      return limit satisfies never;
  }
}

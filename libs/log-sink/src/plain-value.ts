import { redactText } from "@daos/log";

/** A field of a record as JSON has it: errors as their message, big numbers as text. */
export function plainValue(value: unknown): unknown {
  if (value instanceof Error) return redactText(value.message);
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return value.map(plainValue);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, below]) => [key, plainValue(below)]));
}

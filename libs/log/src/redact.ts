import type { LogFields } from "./log-fields.ts";

/** Replaces a secret in the log. */
const REDACTED = "[redacted]";

/** Fields whose value is a secret, in any spelling: `key`, `private_key`, `authToken`, `dbPassword`, `credentials`. */
const SECRET_FIELD =
  /^(?:key|pass(?:word|wd|phrase)?|verifier)$|(?:private|secret|api|auth)_?-?key$|password|passwd|passphrase|secret|token|credential|authorization|cookie/i;

/** Secrets within text: private keys in PEM, and `NAME=value` of environment variables whose names suggest a secret. */
const PEM = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;
const ASSIGNMENT =
  /\b(\w{0,64}(?:password|passwd|secret|token|credential|api_?key|private_?key)\w{0,64}\\?["']?\s?[=:]\s?)(?!\[redacted\])(\\"[^"]*\\"|"[^"]*"|'[^']*'|[^\s,;"'\]}]+)/gi;
/** What stands after `Authorization:` and the like. */
const BEARER = /\b((?:bearer|basic)\s+)(?=\S{0,512}[\d=])[\w+/=._~-]{6,}/gi;

const DEEPEST = 6;
const MAX_LIST = 100;

/** Removes secrets that can be recognized by their form. */
export function redactText(text: string): string {
  return text.replace(PEM, REDACTED).replace(BEARER, `$1${REDACTED}`).replace(ASSIGNMENT, `$1${REDACTED}`);
}

/**
 * Converts fields to plain data that can be logged: without secrets, cycles and unlimited depth. Errors stay errors; bytes
 * become their count.
 */
export function redactFields(fields: LogFields): LogFields {
  return redactObject(fields, new Set(), 0);
}

function redactObject(object: object, above: Set<object>, depth: number): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(object)) {
    const secret = SECRET_FIELD.test(key) && value !== undefined && value !== null;
    result[key] = secret ? REDACTED : redactValue(value, above, depth + 1);
  }
  return result;
}

function redactValue(value: unknown, above: Set<object>, depth: number): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value === "function" || typeof value === "symbol") return String(value);
  if (typeof value !== "object" || value === null || value instanceof Error) return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "invalid date" : value.toISOString();
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (above.has(value) || depth > DEEPEST) return "...";
  above.add(value);
  try {
    if (value instanceof Map) return redactObject(Object.fromEntries(value), above, depth);
    if (Array.isArray(value) || value instanceof Set) {
      const entries = [...value];
      const shown = entries.slice(0, MAX_LIST).map((entry) => redactValue(entry, above, depth + 1));
      return entries.length > MAX_LIST ? [...shown, `... ${entries.length - MAX_LIST} more`] : shown;
    }
    return redactObject(value, above, depth);
  } finally {
    above.delete(value);
  }
}

import type { LogFields } from "./log-fields.ts";

/** Replaces a secret in the log. */
const REDACTED = "[redacted]";

/** Fields whose value is a secret, in any spelling: `key`, `private_key`, `authToken`, `dbPassword`, `credentials`. */
const SECRET_FIELD =
  /^(?:key|pass(?:word|wd|phrase)?|verifier)$|(?:private|secret|api|auth)_?-?key$|password|passwd|passphrase|secret|token|credential|authorization|cookie/i;

/** Secrets within text: private keys in PEM, and `NAME=value` of environment variables whose names suggest a secret. */
const PEM = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g;
const ASSIGNMENT =
  /\b(\w{0,64}(?:password|passwd|passphrase|secret|token|credential|api[_-]?key|private[_-]?key)\w{0,64}\\?["']?\s?[=:]\s?)(?!\[redacted\])(\\"(?:(?!\\").)*\\"|"(?:[^"\\]|\\.)*"|'[^']*'|\\"[^"]*|\[[^\][{}]*\]|["'][^"']*$|[^\s,;"'\]}]+)/gi;
/** The value of headers such as `Authorization:`. */
const BEARER = /\b((?:bearer|basic)\s+)(?=\S{0,512}[\d=])[\w+/=._~-]{6,}/gi;

const DEEPEST = 6;
const MAX_LIST = 100;

/** The text after `scheme://`, up to the end of the word or the next URL. */
const AFTER_SCHEME = /\b([a-z][a-z0-9+.-]{0,16}:\/\/)((?:(?!,\w{1,16}:\/\/)[^\s"'<>\\]){1,1024})/gi;

/** Removes secrets that can be recognized by their form. JSON stays valid JSON. */
export function redactText(text: string): string {
  return redactUrls(text.replace(PEM, REDACTED))
    .replace(BEARER, `$1${REDACTED}`)
    .replace(ASSIGNMENT, (_all, name: string, value: string) => name + redactValueText(name, value));
}

/** Replaces a value of a text, which keeps its quotes; in JSON it gets some. */
export function redactValueText(name: string, value: string): string {
  const [quote] = /^\\?["']/.exec(value) ?? [];
  if (quote !== undefined) {
    return quote + REDACTED + (value.length > quote.length && value.endsWith(quote) ? quote : "");
  }
  const [, ofJson] = /(\\?")\s?:\s?$/.exec(name) ?? [];
  if (ofJson === undefined) return REDACTED;
  // The names in an object are checked one by one.
  if (value === "{" || value === "[") return value;
  const instead = ofJson + REDACTED + ofJson;
  return value.startsWith("[") ? `[${instead}]` : instead;
}

/** The user and the password of a URL, also of one that should have been encoded: `https://root:p@ss/word@host`. */
function redactUrls(text: string): string {
  if (!text.includes("://")) return text;
  return text.replace(AFTER_SCHEME, (all, scheme: string, rest: string) => {
    const at = rest.lastIndexOf("@");
    const userInfo = rest.slice(0, Math.max(at, 0));
    // A colon makes a user and a password, unless a port and a path follow it: https://host:80/to@other.
    const password = /^[^/?#:]*:(?!\d{1,5}[/?#])./.test(userInfo);
    return password ? `${scheme}${REDACTED}${rest.slice(at)}` : all;
  });
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

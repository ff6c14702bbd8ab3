/** JSON for readers: bigints as strings, faults and other errors as their messages. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, plain, 2)}\n`;
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return `${value}`;
  if (value instanceof Error) return value.message;
  if (value instanceof Map) return Object.fromEntries(value);
  return value;
}

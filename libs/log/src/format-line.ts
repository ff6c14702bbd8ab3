import type { LogRecord } from "./logger.ts";
import { redactText } from "./redact.ts";

/** The readable format: `2026-11-23T12:00:00.000Z INFO server.instance: engine ready rank=0 pid=42`. */
export function formatConsoleLine(record: LogRecord): string {
  const component = record.component === "" ? "" : `${record.component}: `;
  const fields = Object.entries(record.fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${showField(value)}`)
    .join("");
  return `${record.time.toISOString()} ${record.level.padEnd(5)} ${component}${oneLine(record.message)}${fields}`;
}

/** One JSON object: `time`, `level`, `component`, `message`, then the fields. */
export function formatJsonLine(record: LogRecord): string {
  const { time, level, component, message, fields } = record;
  return JSON.stringify({ time: time.toISOString(), level, component, message, ...fields }, plainValue);
}

function showField(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(redactText(value.message));
  if (typeof value === "string") return /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value);
  return typeof value === "object" && value !== null ? JSON.stringify(value, plainValue) : String(value);
}

function plainValue(_key: string, value: unknown): unknown {
  if (value instanceof Error) return redactText(value.message);
  return typeof value === "bigint" ? value.toString() : value;
}

/** Control characters become escapes, so that a message cannot forge a line or control a terminal. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1).replace("\u007f", "\\u007f"));
}

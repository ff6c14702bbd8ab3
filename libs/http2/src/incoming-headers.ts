import type { Header } from "./hpack-table.ts";

/** The headers of an answer, or its trailers. `:status` is a number. Values of one name are joined with a comma. */
export type IncomingHeaders = Readonly<Record<string, string | number | undefined>>;

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const STATUS = /^[1-9][0-9][0-9]$/;

/** @returns undefined when they are malformed. @see RFC 9113 section 8.2 */
export function toIncomingHeaders(list: readonly Header[], isResponse: boolean): IncomingHeaders | undefined {
  const headers: Record<string, string | number> = Object.create(null);
  for (const [at, [name, value]] of list.entries()) {
    if (isResponse && at === 0) {
      if (name !== ":status" || !STATUS.test(value)) return undefined;
      headers[name] = Number(value);
      continue;
    }
    if (!NAME.test(name) || /[\0\r\n]/.test(value)) return undefined;
    const known = headers[name];
    headers[name] = known === undefined ? value : `${known}, ${value}`;
  }
  return isResponse && list.length === 0 ? undefined : headers;
}

/** True for `100 Continue` and the like, which come before the answer. */
export function isInterim(headers: IncomingHeaders): boolean {
  return Number(headers[":status"]) < 200;
}

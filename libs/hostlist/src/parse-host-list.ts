import { faultHostlist } from "./faults.ts";
import { checkHost, DEFAULT_PORT, type HostAddress, parsePort, splitPort } from "./host-address.ts";

/** Maximum number of hosts in one range. @see DAOS 0.8.0 src/control/lib/hostlist/hostlist.go maxRange */
export const MAX_RANGE = 16_384;

/** Maximum number of hosts in a list, so that a typing error cannot exhaust memory. */
const MAX_HOSTS = 65_536;

/**
 * The hosts of a list such as `node[01-16,20].cluster:10001,10.0.0.1 [::1]:10002`, in the order written, each once. Commas,
 * blanks, tabs and line ends separate; an empty part is nothing. Leading zeros are kept. A name may have several ranges; the
 * last one varies fastest.
 *
 * @throws Fault hostlistInvalid with the invalid part
 * @see DAOS 0.8.0 src/control/lib/hostlist/hostlist.go
 */
export function parseHostList(text: string, defaultPort: number = DEFAULT_PORT): readonly HostAddress[] {
  const found = new Map<string, HostAddress>();
  const parts = splitList(text);
  if (parts.length === 0) throw faultHostlist(text, "a host name is missing");
  for (const part of parts) {
    const pieces = splitPort(part, text);
    const port = pieces.port === undefined ? defaultPort : parsePort(pieces.port, text);
    const hosts = pieces.host.includes(":") ? [pieces.host] : expand(pieces.host, text);
    for (const host of hosts) {
      checkHost(host, text);
      const key = `${host}:${port}`;
      if (!found.has(key)) found.set(key, { host, port });
      if (found.size > MAX_HOSTS) throw faultHostlist(text, `it names more than ${MAX_HOSTS} hosts`);
    }
  }
  return [...found.values()];
}

/** The parts between commas and white space that are not inside brackets, without empty ones. */
function splitList(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (const { 0: char, index } of text.matchAll(/[[\],\s]/g)) {
    if (char === "[") depth++;
    else if (char === "]") depth--;
    else if (depth === 0) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
    if (depth < 0 || depth > 1) throw faultHostlist(text, "its brackets do not match");
  }
  if (depth !== 0) throw faultHostlist(text, "its brackets do not match");
  return [...parts, text.slice(start)].filter((part) => part !== "");
}

/** The names of a pattern such as `rack[1-2]-node[01-16]`. */
function expand(pattern: string, whole: string): readonly string[] {
  const pieces = pattern.split(/\[([^\]]*)\]/);
  let names: readonly string[] = [pieces[0] ?? ""];
  for (let at = 1; at < pieces.length; at += 2) {
    const numbers = expandRange(pieces[at] ?? "", whole);
    const rest = pieces[at + 1] ?? "";
    if (names.length * numbers.length > MAX_HOSTS) {
      throw faultHostlist(whole, `it names more than ${MAX_HOSTS} hosts`);
    }
    names = names.flatMap((head) => numbers.map((number) => `${head}${number}${rest}`));
  }
  return names;
}

/** The numbers of the inside of a bracket, `01-03,7`, as text. */
function expandRange(range: string, whole: string): readonly string[] {
  const numbers: string[] = [];
  for (const part of range.split(",").map((raw) => raw.trim())) {
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part);
    if (match === null) throw faultHostlist(whole, `"${part}" in brackets is neither a number nor a range`);
    const first = match[1] ?? "";
    const last = match[2] ?? first;
    const count = Number(last) - Number(first) + 1;
    if (count < 1) throw faultHostlist(whole, `the range "${part}" ends before it starts`);
    if (numbers.length + count > MAX_RANGE) {
      throw faultHostlist(whole, `the range [${range}] has more than ${MAX_RANGE} numbers`);
    }
    const width = first.startsWith("0") ? first.length : 0;
    for (let number = Number(first); number <= Number(last); number++) {
      numbers.push(String(number).padStart(width, "0"));
    }
  }
  return numbers;
}

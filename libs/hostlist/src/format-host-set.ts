import { isIPv4 } from "node:net";
import { bracketed, DEFAULT_PORT, type HostAddress } from "./host-address.ts";
import { MAX_RANGE } from "./parse-host-list.ts";

export interface FormatHostSetOptions {
  /** The port that is omitted; {@link DEFAULT_PORT} by default. */
  readonly defaultPort?: number;
}

/** Hosts that differ only in one number. */
interface Family {
  readonly head: string;
  readonly tail: string;
  readonly numbers: Set<string>;
}

/**
 * The shortest text that names these hosts, `node[1-8,10].cluster,other:10002`: sorted, each host once. Reading it with
 * the same default port gives the same set.
 */
export function formatHostSet(hosts: Iterable<HostAddress>, options: FormatHostSetOptions = {}): string {
  const { defaultPort = DEFAULT_PORT } = options;
  const families = new Map<string, Family>();
  for (const { host, port } of hosts) {
    const end = port === defaultPort ? "" : `:${port}`;
    const [head, number, tail] = splitNumber(host);
    const family = { head, tail: `${tail}${end}`, numbers: new Set<string>() };
    const key = JSON.stringify([family.head, family.tail, number === ""]);
    const known = families.get(key) ?? family;
    known.numbers.add(number);
    families.set(key, known);
  }
  return [...families.values()]
    .sort((a, b) => compare(a.head, b.head) || compare(a.tail, b.tail))
    .map(formatFamily)
    .join(",");
}

/**
 * Cuts a host around the number that ranges run over: the last one of the first label (`node12.cluster`), or the last part
 * of an IPv4 address. IPv6 addresses and numbers above 9 digits are not cut.
 */
function splitNumber(host: string): readonly [head: string, number: string, tail: string] {
  if (host.includes(":")) return [bracketed(host), "", ""];
  const match = isIPv4(host) ? /^(.*\.)(\d+)()$/.exec(host) : /^([^.]*?)(\d+)([^\d.]*(?:\..*)?)$/.exec(host);
  if (match === null || (match[2] ?? "").length > 9) return [host, "", ""];
  return [match[1] ?? "", match[2] ?? "", match[3] ?? ""];
}

function formatFamily({ head, tail, numbers }: Family): string {
  if (numbers.size === 1) return `${head}${[...numbers][0]}${tail}`;
  const left = new Set([...numbers].sort((a, b) => Number(a) - Number(b) || a.length - b.length));
  const brackets: string[] = [];
  let parts: string[] = [];
  let size = 0;
  for (const first of left) {
    let last = first;
    let length = 1;
    for (
      let next = successor(first, last);
      left.has(next) && length < MAX_RANGE;
      next = successor(first, last)
    ) {
      left.delete(next);
      last = next;
      length++;
    }
    if (size + length > MAX_RANGE) {
      brackets.push(parts.join(","));
      parts = [];
      size = 0;
    }
    parts.push(first === last ? first : `${first}-${last}`);
    size += length;
  }
  brackets.push(parts.join(","));
  return brackets.map((inside) => `${head}[${inside}]${tail}`).join(",");
}

/** What comes after `number` in a range that starts with `first`, with its leading zeros. */
function successor(first: string, number: string): string {
  const width = first.startsWith("0") ? first.length : 0;
  return String(Number(number) + 1).padStart(width, "0");
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

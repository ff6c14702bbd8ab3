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

/** A host split at one of its numbers, or at its end when it has none. */
interface Cut {
  readonly head: string;
  readonly number: string;
  readonly tail: string;
}

/**
 * The shortest text that names these hosts, `node[1-8,10].cluster,other:10002`: sorted, each host once. Reading it with
 * the same default port gives the same set.
 */
export function formatHostSet(hosts: Iterable<HostAddress>, options: FormatHostSetOptions = {}): string {
  const { defaultPort = DEFAULT_PORT } = options;
  const alike = new Map<string, (readonly Cut[])[]>();
  for (const { host, port } of hosts) {
    const end = port === defaultPort ? "" : `:${port}`;
    const shape = `${host.replace(NUMBER, "#")}${end}`;
    const known = alike.get(shape) ?? [];
    known.push(cutAtNumbers(host, end));
    alike.set(shape, known);
  }
  return [...alike.values()]
    .flatMap(fewestFamilies)
    .sort((a, b) => compare(a.head, b.head) || compare(a.tail, b.tail))
    .map(formatFamily)
    .join(",");
}

/** Numbers that ranges run over: at most 9 digits. */
const NUMBER = /(?<!\d)\d{1,9}(?!\d)/g;

/**
 * Cuts a host at each of its numbers, the likeliest one of a range first: the last one of the first label
 * (`node12.cluster`), or the last part of an IPv4 address. IPv6 addresses are not cut.
 *
 * @param end follows the host: its port
 */
function cutAtNumbers(host: string, end: string): readonly Cut[] {
  if (host.includes(":")) return [{ head: bracketed(host), number: "", tail: end }];
  const cuts = [...host.matchAll(NUMBER)].map(({ 0: number, index }) => ({
    head: host.slice(0, index),
    number,
    tail: `${host.slice(index + number.length)}${end}`,
  }));
  if (cuts.length === 0) return [{ head: host, number: "", tail: end }];
  if (isIPv4(host)) return cuts.reverse();
  const inFirstLabel = cuts.filter(({ head }) => !head.includes("."));
  return [...inFirstLabel.reverse(), ...cuts.slice(inFirstLabel.length).reverse()];
}

/** Groups the hosts that differ in one number, by the number that gives the fewest groups. */
function fewestFamilies(hosts: readonly (readonly Cut[])[]): readonly Family[] {
  const choices = (hosts[0] ?? []).map((_, at) => familiesBy(hosts.flatMap((cuts) => cuts[at] ?? [])));
  return choices.reduce((best, other) => (other.length < best.length ? other : best));
}

function familiesBy(cuts: readonly Cut[]): readonly Family[] {
  const families = new Map<string, Family>();
  for (const { head, number, tail } of cuts) {
    const key = `${head} ${tail}`;
    const family = families.get(key) ?? { head, tail, numbers: new Set<string>() };
    family.numbers.add(number);
    families.set(key, family);
  }
  return [...families.values()];
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

/** The number after `number` in a range that starts with `first`, with its leading zeros. */
function successor(first: string, number: string): string {
  const width = first.startsWith("0") ? first.length : 0;
  return String(Number(number) + 1).padStart(width, "0");
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

import { isIPv4, isIPv6 } from "node:net";
import { faultHostlist } from "./faults.ts";

/** The default port of a DAOS server. */
export const DEFAULT_PORT = 10001;

/** Where a DAOS server listens. */
export interface HostAddress {
  /** A host name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

const LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

/**
 * Reads one address: `node1`, `node1.cluster:10001`, `10.0.0.1:10001`, `[fe80::1]:10001`.
 *
 * @throws Fault hostlistInvalid
 */
export function parseHostAddress(text: string, defaultPort: number = DEFAULT_PORT): HostAddress {
  const trimmed = text.trim();
  const { host, port } = splitPort(trimmed, text);
  checkHost(host, text);
  return { host, port: port === undefined ? defaultPort : parsePort(port, text) };
}

/** The text of an address, always with its port: `node1:10001`, `[::1]:10001`. */
export function formatHostAddress(address: HostAddress): string {
  return `${bracketed(address.host)}:${address.port}`;
}

/** True when both are one host and port, as they are written: names are not resolved. */
export function sameAddress(a: HostAddress, b: HostAddress): boolean {
  return a.host === b.host && a.port === b.port;
}

/** Orders addresses by host and then by port. Numbers count by their value: `node2` comes before `node10`. */
export function compareAddresses(a: HostAddress, b: HostAddress): number {
  return compareHosts(a.host, b.host) || a.port - b.port;
}

/** It does without Intl.Collator, which takes 7 ms to load. */
function compareHosts(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  // Numbers that differ may begin with the same digits.
  while (at > 0 && isDigit(a.charCodeAt(at - 1))) at--;
  const difference = numberAt(a, at) - numberAt(b, at);
  if (difference !== 0 && !Number.isNaN(difference)) return difference;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** NaN without a digit there. */
function numberAt(text: string, start: number): number {
  let end = start;
  while (isDigit(text.charCodeAt(end))) end++;
  return end === start ? Number.NaN : Number(text.slice(start, end));
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** A host in the form before a port: IPv6 in brackets. */
export function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** Cuts `:port` off. A bracket at the start holds an IPv6 address. @throws Fault hostlistInvalid, about `whole` */
export function splitPort(text: string, whole: string): { host: string; port: string | undefined } {
  if (/^\[[^\]]*:/.test(text)) {
    const match = /^\[([^\]]*)\](?::(.*))?$/s.exec(text);
    if (match === null) throw faultHostlist(whole, `"${text}" is not [address] or [address]:port`);
    const host = match[1] ?? "";
    if (!isIPv6(host)) throw faultHostlist(whole, `"${host}" is not an IPv6 address`);
    return { host, port: match[2] };
  }
  const colon = text.indexOf(":");
  if (colon === -1) return { host: text, port: undefined };
  if (text.includes(":", colon + 1) && isIPv6(text))
    throw faultHostlist(whole, `an IPv6 address needs brackets: [${text}]`);
  return { host: text.slice(0, colon), port: text.slice(colon + 1) };
}

/** A TCP port. @throws Fault hostlistInvalid, about `whole` */
export function parsePort(text: string, whole: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw faultHostlist(whole, `"${text}" is not a port from 1 to 65535`);
  return port;
}

/** @throws Fault hostlistInvalid when `host` cannot be a name or an address */
export function checkHost(host: string, whole: string): void {
  if (isIPv4(host) || (host.includes(":") && isIPv6(host))) return;
  if (host === "") throw faultHostlist(whole, "a host name is missing");
  if (/^[\d.]+$/.test(host)) throw faultHostlist(whole, `"${host}" is not an IPv4 address`);
  const name = host.endsWith(".") ? host.slice(0, -1) : host;
  if (name.length > 253 || !name.split(".").every((label) => LABEL.test(label))) {
    throw faultHostlist(whole, `"${shorten(host)}" is not a host name`);
  }
}

function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}

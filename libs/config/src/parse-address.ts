import type { HostAddress } from "./types.ts";

const HOST = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;

/** Reads `host`, `host:port`, `[ipv6]` or `[ipv6]:port`; `undefined` when it is none of them. */
export function readAddress(text: string, defaultPort: number): HostAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const [, ipv6, name, portText] = match;
  const host = ipv6 ?? name ?? "";
  const port = portText === undefined ? defaultPort : Number(portText);
  if (ipv6 === undefined && !HOST.test(host)) return undefined;
  return port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

/** `host:port`, the host in brackets when it is an IPv6 address. */
export function showAddress({ host, port }: HostAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

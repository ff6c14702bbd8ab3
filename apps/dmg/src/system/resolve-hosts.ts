import { lookup as dnsLookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { MemberSelection } from "@daos/control-client";
import { formatHostAddress, type HostAddress, parseHostAddress } from "@daos/hostlist";

/** The addresses of a host name. @throws when there are none */
export type Lookup = (host: string) => Promise<readonly string[]>;

const LOOKUP_TIMEOUT_MS = 5_000;
const MAX_CONCURRENT = 32;

const systemLookup: Lookup = async (host) =>
  (await dnsLookup(host, { all: true })).map(({ address }) => address);

/**
 * Replaces host names by control addresses, as the leader knows only addresses. A name selects every member whose
 * address it resolves to on this host. A name that does not resolve, or not in time, is kept: the leader then reports
 * it as missing.
 *
 * @param addresses gets the control addresses of the members; called only when there are names
 */
export async function resolveHosts(
  selection: MemberSelection,
  addresses: () => Promise<readonly string[]>,
  lookup: Lookup = systemLookup,
): Promise<MemberSelection> {
  const { ranks, hosts = [] } = selection;
  const wanted = hosts.map((host) => parseHostAddress(host));
  if (wanted.every(({ host }) => isIP(host) !== 0)) return selection;
  const members = new Set(await addresses());
  const resolved: string[][] = [];
  for (let at = 0; at < wanted.length; at += MAX_CONCURRENT) {
    const some = wanted.slice(at, at + MAX_CONCURRENT);
    resolved.push(...(await Promise.all(some.map((address) => matching(address, members, lookup)))));
  }
  return { ranks, hosts: [...new Set(resolved.flat())] };
}

async function matching(
  address: HostAddress,
  members: ReadonlySet<string>,
  lookup: Lookup,
): Promise<string[]> {
  const name = formatHostAddress(address);
  if (isIP(address.host) !== 0 || members.has(name)) return [name];
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly string[]>((resolve) => {
    timer = setTimeout(resolve, LOOKUP_TIMEOUT_MS, []);
  });
  const found = await Promise.race([lookup(address.host).catch(() => []), late]);
  clearTimeout(timer);
  const known = found
    .map((host) => formatHostAddress({ host, port: address.port }))
    .filter((one) => members.has(one));
  return known.length > 0 ? known : [name];
}

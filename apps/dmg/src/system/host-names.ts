import { lookupService } from "node:dns/promises";
import { isIP } from "node:net";
import { parseHostAddress } from "@daos/hostlist";

/** The name of an IP address. @throws when there is none */
type NameOf = (address: string) => Promise<string>;

const nameOfAddress: NameOf = async (address) => (await lookupService(address, 0)).hostname;
/** The time limit for all names together, ms. The output must not wait for names. */
const LOOKUP_TIMEOUT_MS = 2_000;
const AT_ONCE = 32;

/**
 * The names of hosts by their control addresses, from this host's resolver. An address without a name, or without one in time,
 * is omitted.
 */
export async function hostNames(
  addresses: readonly string[],
  nameOf: NameOf = nameOfAddress,
  timeoutMs = LOOKUP_TIMEOUT_MS,
): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  const waiting = [...new Set(addresses)].filter((one) => isIP(parseHostAddress(one).host) !== 0);
  const work = async () => {
    for (let address = waiting.shift(); address !== undefined; address = waiting.shift()) {
      const { host } = parseHostAddress(address);
      const name = await nameOf(host).catch(() => host);
      if (name !== host) names.set(address, name);
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([Promise.all(Array.from({ length: AT_ONCE }, work)), late]);
  clearTimeout(timer);
  waiting.length = 0;
  return new Map(names);
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ServerConfig } from "@daos/config";
import { isLoopback, type ReplicaRole } from "@daos/election";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import type { Logger } from "@daos/log";
import { hasErrorCode, writeFileAtomic } from "@daos/sys";
import { faultAddressMissing } from "./faults.ts";
import { findStateDirectory } from "./state-directory.ts";

export interface OwnAddressOptions {
  readonly config: Pick<ServerConfig, "name" | "port" | "accessPoints">;
  readonly role: ReplicaRole;
  /** The control address of this host. */
  readonly self: HostAddress;
  readonly localAddresses: ReadonlySet<string>;
  readonly resolve: (host: string) => Promise<readonly string[]>;
  /** The directories for records, the best first. */
  readonly directories: readonly string[];
  readonly log: Logger;
}

/** The access point that this host was, and the address by which it was recognized. */
interface OwnRecord {
  readonly accessPoint: string;
  readonly address: string;
}

/**
 * Refuses a start at which this host has not got its control address yet, as early in a boot: an access point would take itself
 * for another host and serve without its management service, and another host would report the loopback. An access point is
 * known by a record of its last start. A changed `access_points`, or a name that now has another address, makes it void.
 *
 * @throws Fault addressesUnknown
 */
export async function requireOwnAddress(options: OwnAddressOptions): Promise<void> {
  const { config, role, self, localAddresses, resolve, directories, log } = options;
  const file = `access-point-${config.name}-${config.port}.json`;
  if (role !== "none") {
    const own = await findOwn(options);
    if (own !== undefined) await save(own, file, directories, log);
    return;
  }
  if (isLoopback(self.host) && (await isElsewhere(options)))
    throw faultAddressMissing("it has only the loopback");
  for (const directory of directories) {
    const path = join(directory, file);
    const record = await read(path);
    const listed = config.accessPoints.find((one) => formatHostAddress(one) === record?.accessPoint);
    if (record === undefined || listed === undefined || localAddresses.has(record.address)) continue;
    const addresses = await resolve(listed.host);
    if (!addresses.includes(record.address)) continue;
    const reason = `it was the access point ${record.accessPoint} before, and ${record.address} is on none of its interfaces now`;
    throw faultAddressMissing(reason, path);
  }
}

/** An access point has an address outside the loopback. A name that cannot be resolved is another mistake. */
async function isElsewhere({ config, resolve }: OwnAddressOptions): Promise<boolean> {
  const addresses = await Promise.all(config.accessPoints.map(({ host }) => resolve(host).catch(() => [])));
  return addresses.flat().some((address) => !isLoopback(address));
}

async function findOwn({
  config: { accessPoints, port },
  localAddresses,
  resolve,
}: OwnAddressOptions): Promise<OwnRecord | undefined> {
  for (const accessPoint of accessPoints) {
    if (accessPoint.port !== port) continue;
    const addresses = await resolve(accessPoint.host);
    const address = addresses.find((one) => localAddresses.has(one) && !isLoopback(one));
    if (address !== undefined) return { accessPoint: formatHostAddress(accessPoint), address };
  }
  return undefined;
}

/** A record that cannot be written only means that a later boot is not recognized. */
async function save(
  own: OwnRecord,
  file: string,
  directories: readonly string[],
  log: Logger,
): Promise<void> {
  const directory = await findStateDirectory(directories, log);
  if (directory === undefined) return;
  const path = join(directory, file);
  try {
    const before = await read(path);
    if (before?.accessPoint === own.accessPoint && before.address === own.address) return;
    await writeFileAtomic(path, `${JSON.stringify(own)}\n`, { mode: 0o644 });
  } catch (error) {
    log.debug("the access point is not recorded", { path, reason: String(error) });
  }
}

async function read(path: string): Promise<OwnRecord | undefined> {
  try {
    const found: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof found !== "object" || found === null) return undefined;
    const { accessPoint, address } = found as Partial<OwnRecord>;
    return typeof accessPoint === "string" && typeof address === "string"
      ? { accessPoint, address }
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || hasErrorCode(error, "ENOENT", "ENOTDIR", "EACCES")) return undefined;
    throw error;
  }
}

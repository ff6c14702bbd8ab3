import { hostname } from "node:os";
import { faultNoEngines, type ServerConfig } from "@daos/config";
import { EtcdElection, whileLeading } from "@daos/election";
import { EtcdClient, EtcdError } from "@daos/etcd";
import type { Logger } from "@daos/log";
import {
  type EventRecord,
  faultMembersNotMovable,
  type KeptMembers,
  membersFile,
  readEventsFile,
  readEventsInEtcd,
  readMembersFile,
  readMembersInEtcd,
  repairMembersFile,
  repairMembersInEtcd,
  type UnreadableMember,
} from "@daos/member-store";
import { exists } from "@daos/sys";

interface Options {
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const CHECK = "check the members of the system";
const REPAIR = "repair the members of the system";

/** Reads the configured store, also while servers use it. @throws Fault of the store, membersNotMovable */
export async function checkMembers(
  config: ServerConfig,
  options: Options,
): Promise<KeptMembers & { readonly where: string }> {
  const { systemDb, name } = config;
  if (systemDb.kind !== "etcd") {
    const path = await findFile(config, CHECK);
    return { where: path, ...readMembersFile(path) };
  }
  using client = new EtcdClient({ endpoints: systemDb.endpoints, tls: systemDb });
  const kept = await readMembersInEtcd(client, name, options).catch((error: unknown) => {
    throw faultEtcd(CHECK, error, options.signal);
  });
  return { where: `etcd (${systemDb.endpoints.join(", ")})`, ...kept };
}

/** Reads the events in the configured store, also while servers use it. @throws like {@link checkMembers} */
export async function storedEvents(config: ServerConfig, options: Options): Promise<readonly EventRecord[]> {
  const { systemDb, name } = config;
  if (systemDb.kind !== "etcd") return readEventsFile(await findFile(config, CHECK));
  using client = new EtcdClient({ endpoints: systemDb.endpoints, tls: systemDb });
  return await readEventsInEtcd(client, name, options).catch((error: unknown) => {
    throw faultEtcd(CHECK, error, options.signal);
  });
}

/**
 * Moves unreadable members aside; {@link checkMembers} still lists them. No server may use the store: a file is locked, and in
 * etcd this process leads the system meanwhile.
 *
 * @throws Fault membersInUse, membersNotMovable; of the store
 */
export async function repairMembers(
  config: ServerConfig,
  { log, signal }: Options,
): Promise<{ readonly where: string; readonly moved: readonly UnreadableMember[] }> {
  const { systemDb, name: system, port } = config;
  if (systemDb.kind !== "etcd") {
    const path = await findFile(config, REPAIR);
    return { where: path, moved: await repairMembersFile(path) };
  }
  using client = new EtcdClient({ endpoints: systemDb.endpoints, tls: systemDb });
  const address = { host: hostname(), port };
  const { leaseSeconds } = config.failureDetection;
  const election = new EtcdElection({ client, system, address, hasReplica: () => false, leaseSeconds, log });
  const moved = await whileLeading({ election, attempted: REPAIR, leaseSeconds, signal }, (term) =>
    repairMembersInEtcd(client, system, { signal: AbortSignal.any([signal, term.signal]) }),
  ).catch((error: unknown) => {
    throw faultEtcd(REPAIR, error, signal);
  });
  return { where: `etcd (${systemDb.endpoints.join(", ")})`, moved };
}

async function findFile({ engines: [engine], path }: ServerConfig, attempted: string): Promise<string> {
  if (engine === undefined) throw faultNoEngines(path);
  const file = membersFile(engine.scm.mount);
  if (await exists(file)) return file;
  throw faultMembersNotMovable(
    `there is no ${file}`,
    "run this on the first access point, with the storage of its first engine mounted",
    { attempted },
  );
}

function faultEtcd(attempted: string, error: unknown, signal: AbortSignal): unknown {
  if (!(error instanceof EtcdError) || signal.aborted) return error;
  return faultMembersNotMovable(
    error.message,
    "check the etcd servers (etcdctl endpoint health) and system_db in the configuration, then try again",
    { attempted, cause: error },
  );
}

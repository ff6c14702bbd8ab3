import type { ServerConfig } from "@daos/config";
import { EtcdElection } from "@daos/election";
import { EtcdClient } from "@daos/etcd";
import type { MembersPort } from "@daos/host";
import type { HostAddress } from "@daos/hostlist";
import type { Logger } from "@daos/log";
import {
  type Member,
  membersFile,
  openMembers,
  type PoolRecord,
  refuseMoved,
  refuseStaleStore,
} from "@daos/member-store";
import { exists } from "@daos/sys";
import type { MembersState } from "./members-state.ts";

export interface MembersPortOptions {
  readonly config: ServerConfig;
  /** The control address of this host. */
  readonly self: HostAddress;
  /** This host's records of the members outside their store, if it has a state directory. */
  readonly state?: MembersState | undefined;
  readonly log: Logger;
}

/** Opens the store of the members that the configuration selects: a file on the first access point, or etcd. */
export function openMembersPort(options: MembersPortOptions): Disposable & { readonly port: MembersPort } {
  const { config, self, state, log } = options;
  const copy = state && {
    saveCopy: (members: readonly Member[], pools: readonly PoolRecord[]) => state.saveCopy(members, pools),
    readCopy: () => state.readCopy(),
  };
  const { systemDb, name: system } = config;
  const clients = new DisposableStack();
  const dispose = () => clients.dispose();
  if (systemDb.kind === "embedded") {
    const check = (mount: string) => refuseMoved(mount, config);
    const lossesIn = async (mount: string) => {
      const path = membersFile(mount);
      return (await exists(path)) ? [] : [`the members' file ${path} is missing`];
    };
    const openStore = (mount: string) => openMembers(mount);
    return {
      port: { kind: "storage", check, openStore, lossesIn, ...copy },
      [Symbol.dispose]: dispose,
    };
  }
  const port: MembersPort = {
    kind: "etcd",
    ...copy,
    check: (mount, uuid, wait) => refuseStaleStore(mount, { config, uuid, log }, wait),
    openElection: (hasReplica) => {
      const { endpoints, caCert, cert, key } = systemDb;
      const client = clients.use(new EtcdClient({ endpoints, tls: { caCert, cert, key } }));
      const { leaseSeconds } = config.failureDetection;
      const marker = state?.marker;
      return new EtcdElection({ client, system, address: self, hasReplica, leaseSeconds, marker, log });
    },
  };
  return { port, [Symbol.dispose]: dispose };
}

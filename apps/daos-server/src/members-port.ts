import type { ServerConfig } from "@daos/config";
import { EtcdElection } from "@daos/election";
import { EtcdClient } from "@daos/etcd";
import type { MembersPort } from "@daos/host";
import type { HostAddress } from "@daos/hostlist";
import type { Logger } from "@daos/log";
import { membersFile, openMembers, refuseMoved, refuseStaleStore } from "@daos/member-store";
import { exists } from "@daos/sys";

export interface MembersPortOptions {
  readonly config: ServerConfig;
  /** Control address of this host. */
  readonly self: HostAddress;
  readonly log: Logger;
}

/** The members in a file of the first access point, or in etcd, as the configuration says. */
export function openMembersPort(options: MembersPortOptions): Disposable & { readonly port: MembersPort } {
  const { config, self, log } = options;
  const { systemDb, name: system } = config;
  const clients = new DisposableStack();
  const dispose = () => clients.dispose();
  if (systemDb.kind === "embedded") {
    const check = (mount: string) => refuseMoved(mount, config);
    const lossesIn = async (mount: string) => {
      const path = membersFile(mount);
      return (await exists(path)) ? [] : [`the members' file ${path} is missing`];
    };
    return { port: { kind: "storage", check, openStore: openMembers, lossesIn }, [Symbol.dispose]: dispose };
  }
  const port: MembersPort = {
    kind: "etcd",
    check: (mount, uuid, wait) => refuseStaleStore(mount, { config, uuid, log }, wait),
    openElection: (hasReplica) => {
      const { endpoints, caCert, cert, key } = systemDb;
      const client = clients.use(new EtcdClient({ endpoints, tls: { caCert, cert, key } }));
      const { leaseSeconds } = config.failureDetection;
      return new EtcdElection({ client, system, address: self, hasReplica, leaseSeconds, log });
    },
  };
  return { port, [Symbol.dispose]: dispose };
}

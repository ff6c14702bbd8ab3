import type { ServerConfig, SystemDbConfig } from "@daos/config";
import { LeaderFinder } from "@daos/control-client";
import {
  Bystander,
  EtcdElection,
  FixedLeader,
  Leadership,
  type LeadershipOptions,
  type ReplicaRole,
} from "@daos/election";
import { EtcdClient } from "@daos/etcd";
import type { HostAddress } from "@daos/hostlist";
import type { Logger } from "@daos/log";
import { exists, membersFile, openMembers, refuseLeftBehind, refuseMoved } from "@daos/member-store";
import { StorageLatch } from "./storage-latch.ts";

export interface ManagementOptions {
  readonly config: ServerConfig;
  readonly role: ReplicaRole;
  /** Control address of this host. */
  readonly self: HostAddress;
  /** One of its engines serves and has a replica of the data plane's management service. */
  readonly hasReplica: () => boolean;
  readonly stopExcluded: LeadershipOptions["stopExcluded"];
  readonly log: Logger;
}

/** This host's part in the management service: who leads, how to find the leader, and where the members are kept. */
export interface Management extends Disposable {
  readonly leadership: Leadership;
  readonly finder: LeaderFinder;
  /**
   * The storage of the first engine, which has this uuid, is there.
   *
   * @throws Fault membersLeftBehind, membersMoved when the system would begin anew without the members that it has
   */
  storageReady(mount: string, uuid: string, options: { readonly signal: AbortSignal }): Promise<void>;
  /** What this host keeps of the system in that storage and is missing now; empty where it keeps nothing there. */
  lossesIn(mount: string): Promise<readonly string[]>;
  /** The storage of the first engine is about to go. Resolves when nothing in it is open any more. */
  storageReleased(): Promise<void>;
}

/**
 * With one access point, or several without etcd, the first one leads and keeps the members beside the superblock of its
 * first engine. With etcd the access points elect a leader and keep the members there.
 */
export function openManagement(options: ManagementOptions): Management {
  const { config, role } = options;
  const { systemDb } = config;
  if (systemDb.kind === "embedded") return fixed(options);
  return role === "none" ? bystander(options) : elected(options, systemDb);
}

function fixed({ config, role, self, stopExcluded, log }: ManagementOptions): Management {
  const { accessPoints } = config;
  const storage = new StorageLatch();
  let open = false;
  const election = new FixedLeader({
    accessPoints,
    self: role === "bootstrap" ? self : undefined,
    openStore: async (wait) => {
      const store = await openMembers(await storage.opened(wait));
      open = true;
      return store;
    },
  });
  const leadership = new Leadership({ election, self, ranksFrom: "engine", stopExcluded, log });
  return {
    leadership,
    finder: new LeaderFinder({ accessPoints, known: () => leadership.leader }),
    storageReady: async (mount) => {
      await refuseMoved(mount, config);
      storage.open(mount);
    },
    lossesIn: async (mount) => {
      const path = membersFile(mount);
      return open && !(await exists(path)) ? [`the members' file ${path} is missing`] : [];
    },
    storageReleased: async () => {
      open = false;
      storage.close();
      await election.release();
    },
    [Symbol.dispose]: () => {},
  };
}

function elected(
  options: ManagementOptions,
  { endpoints, caCert, cert, key }: Extract<SystemDbConfig, { readonly kind: "etcd" }>,
): Management {
  const { config, self, hasReplica, stopExcluded, log } = options;
  const { accessPoints, name: system } = config;
  const client = new EtcdClient({ endpoints, tls: { caCert, cert, key } });
  const election = new EtcdElection({ client, system, address: self, hasReplica, log });
  const leadership = new Leadership({ election, self, ranksFrom: "store", stopExcluded, log });
  const finder = new LeaderFinder({ accessPoints, known: () => leadership.leader });
  return { leadership, finder, ...noStorage(options), [Symbol.dispose]: () => client[Symbol.dispose]() };
}

function bystander(options: ManagementOptions): Management {
  const { config, self, log } = options;
  const { accessPoints } = config;
  const election = new Bystander(accessPoints);
  const finder = new LeaderFinder({
    accessPoints,
    known: () => undefined,
    onLearned: () => election.learn(finder.leader, finder.accessPoints),
  });
  const leadership = new Leadership({ election, self, ranksFrom: "store", log });
  return { leadership, finder, ...noStorage(options), [Symbol.dispose]: () => {} };
}

/** The members are not in this host's storage, or not any more. */
function noStorage({
  config,
  log,
}: ManagementOptions): Pick<Management, "storageReady" | "lossesIn" | "storageReleased"> {
  return {
    storageReady: (mount, uuid, wait) => refuseLeftBehind(mount, { config, uuid, log }, wait),
    lossesIn: async () => [],
    storageReleased: async () => {},
  };
}

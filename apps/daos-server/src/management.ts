import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { ServerConfig, SystemDbConfig } from "@daos/config";
import { EtcdClient } from "@daos/etcd";
import type { HostAddress } from "@daos/hostlist";
import type { Logger } from "@daos/log";
import {
  Bystander,
  EtcdElection,
  FixedLeader,
  Leadership,
  type ReplicaRole,
  SqliteMemberStore,
} from "@daos/membership";
import { LeaderFinder } from "@daos/mgmt-client";
import { StorageGate } from "./storage-gate.ts";

export interface ManagementOptions {
  readonly config: ServerConfig;
  readonly role: ReplicaRole;
  /** Control address of this host. */
  readonly self: HostAddress;
  /** One of its engines serves and has a replica of the data plane's management service. */
  readonly hasReplica: () => boolean;
  readonly log: Logger;
}

/** This host's part in the management service: who leads, how to find the leader, and where the members are kept. */
export interface Management extends Disposable {
  readonly leadership: Leadership;
  readonly finder: LeaderFinder;
  /** The storage of the first engine is there. */
  storageReady(mount: string): void;
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

function fixed({ config, role, self, log }: ManagementOptions): Management {
  const { accessPoints } = config;
  const storage = new StorageGate();
  const election = new FixedLeader({
    accessPoints,
    self: role === "bootstrap" ? self : undefined,
    openStore: async (wait) => openMembers(await storage.opened(wait)),
  });
  const leadership = new Leadership({ election, self, ranksFrom: "engine", log });
  return {
    leadership,
    finder: new LeaderFinder({ accessPoints, known: () => leadership.leader }),
    storageReady: (mount) => storage.open(mount),
    storageReleased: async () => {
      storage.close();
      await election.release();
    },
    [Symbol.dispose]: () => {},
  };
}

function elected(
  { config, self, hasReplica, log }: ManagementOptions,
  { endpoints, caCert, cert, key }: Extract<SystemDbConfig, { readonly kind: "etcd" }>,
): Management {
  const { accessPoints, name: system } = config;
  const client = new EtcdClient({ endpoints, tls: { caCert, cert, key } });
  const election = new EtcdElection({ client, system, address: self, hasReplica, log });
  const leadership = new Leadership({ election, self, ranksFrom: "store", log });
  const finder = new LeaderFinder({ accessPoints, known: () => leadership.leader });
  return { leadership, finder, ...noStorage, [Symbol.dispose]: () => client[Symbol.dispose]() };
}

function bystander({ config, self, log }: ManagementOptions): Management {
  const { accessPoints } = config;
  const election = new Bystander(accessPoints);
  const finder = new LeaderFinder({
    accessPoints,
    known: () => undefined,
    onLearned: () => election.learn(finder.leader, finder.accessPoints),
  });
  const leadership = new Leadership({ election, self, ranksFrom: "store", log });
  return { leadership, finder, ...noStorage, [Symbol.dispose]: () => {} };
}

/** The members are not in this host's storage. */
const noStorage = { storageReady: () => {}, storageReleased: async () => {} };

/** The members, beside the superblock of the first access point's engine. */
async function openMembers(mount: string): Promise<SqliteMemberStore> {
  const directory = join(mount, "control_plane");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return new SqliteMemberStore(join(directory, "members.db"));
}

import { type Election, Follower, Leadership, type LeadershipOptions, StaticLeader } from "@daos/election";
import type { MemberStore } from "@daos/member-store";
import { LeaderFinder } from "@daos/mgmt-client";
import type { HostPorts } from "./host-ports.ts";
import { StorageLatch } from "./storage-latch.ts";

export interface ManagementOptions
  extends Pick<HostPorts, "accessPoints" | "role" | "self" | "members" | "clock"> {
  /** One of its engines serves and has a replica of the data plane's management service. */
  readonly hasReplica: () => boolean;
  readonly stopExcluded: LeadershipOptions["stopExcluded"];
  readonly log: LeadershipOptions["log"];
}

/** This host's part in the management service: who leads, how to find the leader, and where the members are kept. */
export interface Management {
  readonly leadership: Leadership;
  readonly finder: LeaderFinder;
  /**
   * The storage of the first engine, which has this uuid, is there.
   *
   * @throws Fault membersLeftBehind, membersMoved when the system would begin anew without the members that it has
   */
  storageReady(mount: string, uuid: string, options: { readonly signal: AbortSignal }): Promise<void>;
  /** The storage of the first engine is about to go. Resolves when nothing in it is open any more. */
  storageReleased(): Promise<void>;
}

/**
 * With one access point, or several without etcd, the first one leads and keeps the members beside the superblock of its
 * first engine. With etcd the access points elect a leader and keep the members there.
 */
export function openManagement(options: ManagementOptions): Management {
  const { members, role, hasReplica } = options;
  if (members.kind === "storage") return fixed(options, members.openStore);
  return role === "none" ? bystander(options) : elected(options, members.openElection(hasReplica));
}

function fixed(
  { members, accessPoints, role, self, stopExcluded, log, clock }: ManagementOptions,
  openStore: (mount: string) => Promise<MemberStore>,
): Management {
  const storage = new StorageLatch();
  const election = new StaticLeader({
    accessPoints,
    self: role === "bootstrap" ? self : undefined,
    openStore: async (wait) => openStore(await storage.opened(wait)),
  });
  const leadership = new Leadership({ election, self, ranksFrom: "engine", stopExcluded, log, clock });
  return {
    leadership,
    finder: new LeaderFinder({ accessPoints, known: () => leadership.leader, clock }),
    storageReady: async (mount, uuid, wait) => {
      await members.check(mount, uuid, wait);
      storage.open(mount);
    },
    storageReleased: async () => {
      storage.close();
      await election.release();
    },
  };
}

function elected(options: ManagementOptions, election: Election): Management {
  const { accessPoints, self, stopExcluded, log, clock } = options;
  const leadership = new Leadership({ election, self, ranksFrom: "store", stopExcluded, log, clock });
  const finder = new LeaderFinder({ accessPoints, known: () => leadership.leader, clock });
  return { leadership, finder, ...noStorage(options) };
}

function bystander(options: ManagementOptions): Management {
  const { accessPoints, self, log, clock } = options;
  const election = new Follower(accessPoints);
  const finder = new LeaderFinder({
    accessPoints,
    known: () => undefined,
    onLearned: () => election.learn(finder.leader, finder.accessPoints),
    clock,
  });
  const leadership = new Leadership({ election, self, ranksFrom: "store", log, clock });
  return { leadership, finder, ...noStorage(options) };
}

/** The members are not in this host's storage, or not any more. */
function noStorage({ members }: ManagementOptions): Pick<Management, "storageReady" | "storageReleased"> {
  return {
    storageReady: (mount, uuid, wait) => members.check(mount, uuid, wait),
    storageReleased: async () => {},
  };
}

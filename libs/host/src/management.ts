import { LeaderFinder } from "@daos/control-client";
import { type Election, Follower, Leadership, type LeadershipOptions, StaticLeader } from "@daos/election";
import type { HostPorts, MembersPort } from "./host-ports.ts";
import { StorageLatch } from "./storage-latch.ts";

export interface ManagementOptions
  extends Pick<HostPorts, "accessPoints" | "role" | "self" | "members" | "failureDetection" | "clock"> {
  /** True when one of its engines serves and has a replica of the data plane's management service. */
  readonly hasReplica: () => boolean;
  readonly stopExcluded: LeadershipOptions["stopExcluded"];
  readonly log: LeadershipOptions["log"];
}

/** This host's part in the management service: who leads, how to find the leader, and where the members are kept. */
export interface Management {
  readonly leadership: Leadership;
  readonly finder: LeaderFinder;
  /**
   * Call it when the storage of the first engine, which has this uuid, is mounted.
   *
   * @throws Fault membersLeftBehind, membersMoved when the system would start without its existing members
   */
  storageReady(mount: string, uuid: string, options: { readonly signal: AbortSignal }): Promise<void>;
  /** The system's files in that storage that are missing now; empty when this host has none there. */
  lossesIn(mount: string): Promise<readonly string[]>;
  /** Call it before the storage of the first engine is unmounted or formatted. Resolves when no file in it is open. */
  storageReleased(): Promise<void>;
}

/**
 * With one access point, or several without etcd, the first one leads and keeps the members beside the superblock of its
 * first engine. With etcd the access points elect a leader and keep the members there.
 */
export function openManagement(options: ManagementOptions): Management {
  const { members, role, hasReplica } = options;
  if (members.kind === "storage") return fixed(options, members);
  return role === "none" ? noElection(options) : elected(options, members.openElection(hasReplica));
}

function fixed(
  { accessPoints, role, self, stopExcluded, failureDetection, log, clock }: ManagementOptions,
  members: Extract<MembersPort, { readonly kind: "storage" }>,
): Management {
  const storage = new StorageLatch();
  let open = false;
  const election = new StaticLeader({
    accessPoints,
    self: role === "bootstrap" ? self : undefined,
    openStore: async (wait) => {
      const store = await members.openStore(await storage.opened(wait));
      open = true;
      return store;
    },
    log,
  });
  const leadership = new Leadership({
    election,
    self,
    ranksFrom: "engine",
    saveCopy: members.saveCopy,
    readCopy: members.readCopy,
    stopExcluded,
    failureDetection,
    log,
    clock,
  });
  return {
    leadership,
    finder: new LeaderFinder({ accessPoints, known: () => leadership.leader, clock }),
    storageReady: async (mount, uuid, wait) => {
      await members.check(mount, uuid, wait);
      storage.open(mount);
    },
    lossesIn: async (mount) => (open ? members.lossesIn(mount) : []),
    storageReleased: async () => {
      open = false;
      storage.close();
      await election.release();
    },
  };
}

function elected(options: ManagementOptions, election: Election): Management {
  const { accessPoints, self, members, stopExcluded, failureDetection, log, clock } = options;
  const leadership = new Leadership({
    election,
    self,
    ranksFrom: "store",
    saveCopy: members.saveCopy,
    readCopy: members.readCopy,
    stopExcluded,
    failureDetection,
    log,
    clock,
  });
  const finder = new LeaderFinder({ accessPoints, known: () => leadership.leader, clock });
  return { leadership, finder, ...noStorage(options) };
}

function noElection(options: ManagementOptions): Management {
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

/** The members are not, or no longer, in this host's storage. */
function noStorage({
  members,
}: ManagementOptions): Pick<Management, "storageReady" | "lossesIn" | "storageReleased"> {
  return {
    storageReady: (mount, uuid, wait) => members.check(mount, uuid, wait),
    lossesIn: async () => [],
    storageReleased: async () => {},
  };
}

import type { JoinMessage, ReportAnswer, ReportMessage } from "@daos/control-client";
import type { Election, ReplicaRole } from "@daos/election";
import type { HostAddress } from "@daos/hostlist";
import type { EngineInstance, InstanceOptions, InstanceParts } from "@daos/instance";
import type { Logger } from "@daos/log";
import type { JoinReply } from "@daos/member-agent";
import type { Member, MemberStore, PoolRecord } from "@daos/member-store";
import type { Clock } from "@daos/sys";
import type { ForClient, MemberCalls } from "@daos/system";

interface Wait {
  readonly signal: AbortSignal;
}

/**
 * How this host calls the servers of other hosts. Each call throws the fault of the host, or of the connection to it.
 */
export interface HostCalls extends MemberCalls {
  join(host: HostAddress, message: JoinMessage, wait: Wait): Promise<JoinReply>;
  reportEngines(host: HostAddress, report: ReportMessage, wait: Wait): Promise<ReportAnswer>;
  /** Calls the engine with a replica on another access point, for a client with a certificate. @returns the body of its answer */
  callEngine(host: HostAddress, method: number, body: Uint8Array, wait: ForClient): Promise<Uint8Array>;
  /** Passes the call of a client about the pools on to the leader. @returns the body of its answer */
  callLeader(
    host: HostAddress,
    method: number,
    body: Uint8Array,
    wait: ForClient & { readonly address: string },
  ): Promise<Uint8Array>;
}

/** Where the members are stored, and how the access points agree on a leader. */
export type MembersPort = {
  /**
   * Checks the storage of the first engine, which has this uuid.
   *
   * @throws Fault membersLeftBehind, membersMoved when the system would start without its existing members
   */
  readonly check: (mount: string, uuid: string, wait: Wait) => Promise<void>;
  /** Replaces this host's copy of the members and the pools, outside their store. */
  readonly saveCopy?:
    | ((members: readonly Member[], pools: readonly PoolRecord[]) => Promise<void>)
    | undefined;
  /** Reads that copy; no members when there is none. */
  readonly readCopy?: (() => Promise<readonly Member[]>) | undefined;
} & (
  | {
      /** In the storage of the first access point's first engine. The first access point leads. */
      readonly kind: "storage";
      readonly openStore: (mount: string) => Promise<MemberStore>;
      /** The files of the open store that are missing in that storage now. */
      readonly lossesIn: (mount: string) => Promise<readonly string[]>;
    }
  | {
      readonly kind: "etcd";
      /** Called on an access point, once. `hasReplica` says whether its engine has a replica now. */
      readonly openElection: (hasReplica: () => boolean) => Election;
    }
);

/** The parts of one engine that depend on this machine. The system's parts are composed. */
export interface EnginePorts
  extends Omit<
    InstanceOptions,
    | "replica"
    | "msAddress"
    | "join"
    | "onStorageReady"
    | "onStorageReleased"
    | "verifyStorage"
    | "onChange"
    | "provisionOnly"
  > {
  /** Locks the storage before any file of the system in it is opened. @throws Fault storageInUse */
  readonly takeStorage?: (mount: string, wait: Wait) => Promise<void>;
  /** Unlocks the storage after every file of the system in it is closed. */
  readonly releaseStorage?: (mount: string) => void;
  /** The parts of the instance; those of this machine by default. */
  readonly parts?: InstanceParts | undefined;
}

/** The ports of a server: this machine, the network, the clock. */
export interface HostPorts {
  /** Control address of this host. */
  readonly self: HostAddress;
  readonly role: ReplicaRole;
  /** Those of the configuration. */
  readonly accessPoints: readonly HostAddress[];
  /** `/rack1/node3`. */
  readonly faultDomain: string;
  readonly members: MembersPort;
  /** `failure_detection` of the configuration; its defaults when absent. */
  readonly failureDetection?:
    | { readonly reportIntervalMs: number; readonly overdueAfterMs: number }
    | undefined;
  readonly calls: HostCalls;
  readonly engines: readonly EnginePorts[];
  /**
   * True when root prepares the storage for another user: no engine joins, and the files in the storage belong to that
   * user.
   */
  readonly provisionOnly: boolean;
  /** Called after a change of an engine's state. */
  readonly onChange?: ((instance: EngineInstance) => void) | undefined;
  /** Called once, when every engine serves. */
  readonly onServing?: (() => void) | undefined;
  readonly log: Logger;
  readonly clock?: Clock | undefined;
}

import type { HostAddress } from "@daos/hostlist";
import type { Rank } from "@daos/rank";

/** The state of a member, as the leader knows it. */
export type MemberState =
  /** It has its rank, and does not serve yet. */
  | "joining"
  | "joined"
  | "stopping"
  /** It was stopped on request. */
  | "stopped"
  /** It may not join until the exclusion is cleared. */
  | "excluded"
  /** The leader has received no report from its host for too long. */
  | "unresponsive"
  /** Its engine died, or could not be started. */
  | "errored"
  /** Its storage was formatted: an engine with another rank has its place on its host. */
  | "replaced";

/** One engine of the system, as the management service knows it. */
export interface Member {
  /** Identity of the engine, from its superblock. */
  readonly uuid: string;
  readonly rank: Rank;
  /** Control address of its host. */
  readonly address: HostAddress;
  /** Fabric address. */
  readonly uri: string;
  /** Fabric contexts. */
  readonly contexts: number;
  readonly state: MemberState;
  /** The reason of the state; empty for the usual reason. */
  readonly reason: string;
  /** When the state began, ms since 1970 by the leader's clock. For display only, never for computing. */
  readonly since: number;
  /** The number of its joins. Reports about an earlier incarnation are ignored. */
  readonly incarnation: number;
  /** `/rack1/node3`; empty when not configured. */
  readonly faultDomain: string;
  /** Its host sends reports. Servers of release 0.8.0 do not, so missing reports mean nothing for them. */
  readonly reports: boolean;
  /** Its place in the configuration of its host, from 0. Servers of release 0.8.0 do not say it. */
  readonly instance?: number | undefined;
  /** The rank that has its place now. */
  readonly replacedBy?: Rank | undefined;
}

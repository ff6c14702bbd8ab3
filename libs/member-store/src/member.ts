import type { HostAddress } from "@daos/hostlist";
import type { Rank } from "@daos/rank";

/** What a member does, as the leader knows it. */
export type MemberState =
  /** It has its rank, and is not in service yet. */
  | "joining"
  | "joined"
  | "stopping"
  /** It was asked to stop. */
  | "stopped"
  /** It may not join until that is cleared. */
  | "excluded"
  /** Its host has not been heard of. */
  | "unresponsive"
  /** Its engine died, or could not be started. */
  | "errored";

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
  /** Why it is in that state; empty for the usual one. */
  readonly reason: string;
  /** When the state began, ms since 1970 by the leader's clock: to be shown, never to be computed with. */
  readonly since: number;
  /** How often it has joined: what is said of an earlier incarnation does not concern this one. */
  readonly incarnation: number;
  /** `/rack1/node3`; empty when nobody has said. */
  readonly faultDomain: string;
  /** Its host reports how it is. Servers of release 0.8.0 do not: their silence says nothing. */
  readonly reports: boolean;
}

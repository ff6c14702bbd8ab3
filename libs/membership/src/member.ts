import type { HostAddress } from "@daos/hostlist";
import type { Rank } from "@daos/rank";

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
}

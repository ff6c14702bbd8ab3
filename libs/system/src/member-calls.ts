import type { HostAddress } from "@daos/hostlist";
import type { Rank } from "@daos/rank";

interface Wait {
  readonly signal: AbortSignal;
}

/** How the leader reaches the hosts of the members. Each throws the fault of the engine or its host. */
export interface MemberCalls {
  /**
   * The host gets the time limit, so that an engine that hangs can be distinguished from a host that does not answer.
   */
  prepShutdown(host: HostAddress, rank: Rank, options: Wait & { readonly timeoutMs: number }): Promise<void>;
  killRank(host: HostAddress, rank: Rank, options: Wait & { readonly force: boolean }): Promise<void>;
  startRank(host: HostAddress, rank: Rank, wait: Wait): Promise<void>;
  eraseRank(host: HostAddress, rank: Rank, uuid: string, wait: Wait): Promise<void>;
}

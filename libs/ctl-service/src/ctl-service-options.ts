import type { NvmeController } from "@daos/bdev";
import type { Harness } from "@daos/harness";
import type { HostAddress } from "@daos/hostlist";
import type { Logger } from "@daos/log";
import type { Leadership } from "@daos/membership";
import type { NetworkProvider } from "@daos/network";
import type { Rank } from "@daos/rank";
import type { ScmScan } from "@daos/scm";

interface Wait {
  readonly signal: AbortSignal;
}

/** How the leader reaches the hosts of the members. */
export interface MemberCalls {
  /** @throws Fault when the engine or its host refuses */
  prepShutdown(host: HostAddress, rank: Rank, options: Wait): Promise<void>;
  /** @throws Fault when the engine or its host refuses */
  killRank(host: HostAddress, rank: Rank, options: Wait): Promise<void>;
}

/** What the handlers of `ctl.MgmtCtl` work on. */
export interface CtlServiceOptions {
  readonly harness: Harness;
  readonly leadership: Leadership;
  readonly scm: { scan(options: Wait): Promise<ScmScan> };
  readonly bdev: { scan(options: Wait): Promise<readonly NvmeController[]> };
  readonly network: Pick<NetworkProvider, "listProviders" | "scan">;
  readonly members: MemberCalls;
  readonly log: Logger;
}

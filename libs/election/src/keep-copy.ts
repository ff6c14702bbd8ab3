import { toFault } from "@daos/fault";
import type { Logger } from "@daos/log";
import type { Member, PoolRecord } from "@daos/member-store";
import type { Membership } from "@daos/membership";
import type { PoolRegistry } from "@daos/pool-registry";
import type { Clock } from "@daos/sys";

export interface KeepCopyOptions {
  /** Replaces the copy on this host. */
  readonly save: (members: readonly Member[], pools: readonly PoolRecord[]) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** The content of the leader's store. */
export interface Kept {
  readonly membership: Membership;
  readonly pools: PoolRegistry;
}

/** Maximum time from a change to the copy of the members, ms. */
const COPY_MS = 2_000;

/**
 * Copies the members and the pools outside their store, from which `daos-server members restore` restores them. An
 * empty store is not copied: a lost store must not replace the last copy.
 *
 * @throws the reason of the signal
 */
export async function keepCopy({ membership, pools }: Kept, options: KeepCopyOptions): Promise<never> {
  const { save, clock, log, signal } = options;
  let copied: number | undefined;
  let failed = false;
  for (;;) {
    const commits = membership.commits + pools.commits;
    const members = membership.list();
    if (commits !== copied && members.length > 0) {
      try {
        await save(members, pools.list());
        copied = commits;
        failed = false;
      } catch (error) {
        if (!failed) log.warn("the members cannot be copied on this host", { fault: toFault(error) });
        failed = true;
      }
    }
    await clock.delay(COPY_MS, { signal });
  }
}

import type { Leadership } from "@daos/election";
import type { Harness } from "@daos/harness";
import type { Logger } from "@daos/log";
import type { EngineGroup, Joins } from "@daos/system";

/** What the handlers of `mgmt.MgmtSvc` work on. */
export interface MgmtServiceOptions {
  readonly systemName: string;
  readonly harness: Harness;
  readonly leadership: Leadership;
  readonly engines: EngineGroup;
  readonly joins: Joins;
  /** This IP address is one of the leader, of an access point or of this host itself. */
  readonly mayDirect: (address: string, wait: { readonly signal: AbortSignal }) => Promise<boolean>;
  readonly log: Logger;
}

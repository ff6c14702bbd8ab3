import type { Harness } from "@daos/harness";
import type { Logger } from "@daos/log";
import type { Leadership } from "@daos/membership";

/** What the handlers of `mgmt.MgmtSvc` work on. */
export interface MgmtServiceOptions {
  readonly systemName: string;
  readonly harness: Harness;
  readonly leadership: Leadership;
  readonly log: Logger;
}

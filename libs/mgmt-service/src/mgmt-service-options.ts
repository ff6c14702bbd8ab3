import type { Leadership } from "@daos/election";
import type { Fault } from "@daos/fault";
import type { Harness } from "@daos/harness";
import type { HostAddress } from "@daos/hostlist";
import type { Logger } from "@daos/log";
import type { ForClient, MsReplicas, PoolCoordinator, ServerRequests } from "@daos/system";

/** What the handlers of `mgmt.MgmtSvc` work on. */
export interface MgmtServiceOptions {
  readonly systemName: string;
  readonly harness: Pick<Harness, "hasMsInstance">;
  readonly leadership: Pick<Leadership, "membership" | "members" | "leadsHere" | "leader" | "accessPoints">;
  readonly replicas: MsReplicas;
  readonly requests: ServerRequests;
  readonly pools: Pick<PoolCoordinator, "create" | "destroy" | "list">;
  /** Passes the call of a client about the pools on to the leader. @returns the body of its answer @throws Fault */
  readonly callLeader: (
    leader: HostAddress,
    method: number,
    body: Uint8Array,
    wait: ForClient & { readonly address: string },
  ) => Promise<Uint8Array>;
  /** This IP address is one of the leader, of an access point or of this host itself. */
  readonly mayDirect: (address: string, wait: { readonly signal: AbortSignal }) => Promise<boolean>;
  /**
   * Whether the certificate (DER) of a client allows a call such as `/mgmt.MgmtSvc/PoolDestroy`, which the server at `from`
   * makes for that client. Undefined when it does.
   */
  readonly judgeCaller: (certificate: Uint8Array, path: string, from: string) => Promise<Fault | undefined>;
  readonly log: Logger;
}

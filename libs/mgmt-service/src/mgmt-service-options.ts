import type { Leadership } from "@daos/election";
import type { Fault } from "@daos/fault";
import type { Harness } from "@daos/harness";
import type { HostAddress } from "@daos/hostlist";
import type { Logger } from "@daos/log";
import type { ForClient, MsReplicas, PoolCoordinator, ServerRequests } from "@daos/system";

/** The parts of the server that the handlers of `mgmt.MgmtSvc` use. */
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
  /** True when this IP address belongs to the leader, to an access point or to this host. */
  readonly mayDirect: (address: string, wait: { readonly signal: AbortSignal }) => Promise<boolean>;
  /**
   * Whether the certificate (DER) of a client allows a call such as `/mgmt.MgmtSvc/PoolDestroy`, which the server at `from`
   * makes for that client. Undefined when it does.
   */
  readonly authorizeCaller: (
    certificate: Uint8Array,
    path: string,
    from: string,
  ) => Promise<Fault | undefined>;
  readonly log: Logger;
}

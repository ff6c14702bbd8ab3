import type { Fault } from "@daos/fault";
import type { HostAddress } from "@daos/hostlist";
import type { Member, MemberStore } from "@daos/member-store";

/** A host that takes part in the election. */
export interface AccessPoint {
  readonly address: HostAddress;
  /** Its engine has a replica of the data plane's management service. */
  readonly hasReplica: boolean;
}

/** The time for which this host leads. */
export interface Term {
  /** Larger than that of every term before. */
  readonly number: number;
  /** The members; refuses to change them when the term is over. The election closes it. */
  readonly store: MemberStore;
  /** Aborts before another host can lead; late when this process was frozen. */
  readonly signal: AbortSignal;
  /** False as soon as another host may lead, even if the signal is late. Check it before every answer. */
  readonly holds: () => boolean;
}

/** Who leads the management service, as this host sees it. */
export type LeaderView =
  | { readonly kind: "leading"; readonly term: Term }
  /** `leader` is absent while there is none. */
  | { readonly kind: "following"; readonly leader: HostAddress | undefined };

/** How the access points agree on a leader. */
export interface Election {
  /**
   * Takes part until `signal` aborts, then resigns. `onChange` gets the first view and every change of it; the next one
   * waits until it has returned. An unreachable store or network is logged and retried.
   */
  run(onChange: (view: LeaderView) => void, options: { readonly signal: AbortSignal }): Promise<void>;
  /** Why this host cannot lead and knows no leader; callers that need a leader get this fault. */
  readonly outage?: Fault | undefined;
  /**
   * Reads the members from their store, also on a host that does not lead; absent when only the leader has the store.
   *
   * @throws EtcdError; Fault memberStoreReplaced
   */
  readonly readMembers?: ((wait: { readonly signal: AbortSignal }) => Promise<readonly Member[]>) | undefined;
  /** The access points that take part now, as far as this host knows. */
  readonly accessPoints: readonly AccessPoint[];
}

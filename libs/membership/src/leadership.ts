import { Fault, FaultCode } from "@daos/fault";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import { faultNotLeader } from "@daos/rpc";
import type { Member } from "./member.ts";
import type { MemberStore } from "./member-store.ts";
import { Membership } from "./membership.ts";
import type { ReplicaRole } from "./replica-role.ts";

export interface LeadershipOptions {
  readonly accessPoints: readonly HostAddress[];
  readonly role: ReplicaRole;
  /** Control address of this host. */
  readonly self: HostAddress;
}

/**
 * Who leads the management service, and on the leader the members. As in release 0.8.0 the first access point leads.
 * The membership is open while the engine with the first replica serves: it is kept in that engine's storage.
 */
export class Leadership {
  readonly #options: LeadershipOptions;
  #store: MemberStore | undefined;
  #membership: Membership | undefined;

  constructor(options: LeadershipOptions) {
    this.#options = options;
  }

  /** The leader's control address. */
  get leader(): HostAddress {
    return this.#options.accessPoints[0] ?? this.#options.self;
  }

  /** The control addresses of all MS replicas. */
  get replicas(): readonly HostAddress[] {
    return this.#options.accessPoints;
  }

  get leadsHere(): boolean {
    return this.#options.role === "bootstrap";
  }

  /** Starts to lead with the members of a store, which this object then owns; `first` is the replica's own engine. */
  open(store: MemberStore, first: Member): void {
    this.close();
    this.#store = store;
    this.#membership = new Membership(store);
    this.#membership.record(first);
  }

  /** Stops to lead. */
  close(): void {
    this.#membership = undefined;
    this.#store?.close();
    this.#store = undefined;
  }

  /** The members, on the leader. @throws Fault notLeader on other hosts, systemNotReady before its engine serves */
  membership(): Membership {
    const { self } = this.#options;
    if (!this.leadsHere) throw faultNotLeader(formatHostAddress(self), formatHostAddress(this.leader));
    if (this.#membership === undefined) throw faultNotReady(self);
    return this.#membership;
  }
}

function faultNotReady(self: HostAddress): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.systemNotReady,
    description: `the management service on ${formatHostAddress(self)} is not ready: its engine does not serve yet`,
    resolution:
      "format the storage if that has not been done (dmg storage format), or wait until the engine serves",
  });
}

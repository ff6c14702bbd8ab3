import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import type { AccessPoint, Election, LeaderView } from "./election.ts";

/** A host that takes no part in the election, and learns its view from the leader. */
export class Follower implements Election {
  #accessPoints: readonly HostAddress[];
  #leader: HostAddress | undefined;
  #onChange: ((view: LeaderView) => void) | undefined;

  /** @param accessPoints those of the configuration */
  constructor(accessPoints: readonly HostAddress[]) {
    this.#accessPoints = accessPoints;
  }

  /** Only the leader knows which of them have a replica. */
  get accessPoints(): readonly AccessPoint[] {
    return this.#accessPoints.map((address) => ({ address, hasReplica: false }));
  }

  /** Updates the view of this host. */
  learn(leader: HostAddress | undefined, accessPoints: readonly HostAddress[]): void {
    this.#accessPoints = accessPoints;
    const name = leader && formatHostAddress(leader);
    const before = this.#leader && formatHostAddress(this.#leader);
    this.#leader = leader;
    if (name !== before) this.#onChange?.({ kind: "following", leader });
  }

  async run(
    onChange: (view: LeaderView) => void,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<void> {
    this.#onChange = onChange;
    onChange({ kind: "following", leader: this.#leader });
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
    });
    this.#onChange = undefined;
  }
}

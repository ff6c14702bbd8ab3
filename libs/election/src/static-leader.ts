import { type Fault, toFault } from "@daos/fault";
import type { HostAddress } from "@daos/hostlist";
import type { Logger } from "@daos/log";
import type { MemberStore } from "@daos/member-store";
import { delay } from "@daos/sys";
import type { AccessPoint, Election, LeaderView } from "./election.ts";

export interface StaticLeaderOptions {
  readonly accessPoints: readonly HostAddress[];
  /** The control address of this host, when it is the first access point. */
  readonly self: HostAddress | undefined;
  /** Resolves when the storage that holds the members is there. */
  readonly openStore: (options: { readonly signal: AbortSignal }) => Promise<MemberStore>;
  readonly log?: Logger | undefined;
}

/** Time before a store that cannot be opened is tried again, ms: an administrator may have repaired it. */
const RETRY_MS = 2_000;

/**
 * No election: the first access point leads, as in release 0.8.0, while the storage of its first engine is there. The
 * members are kept in that storage.
 */
export class StaticLeader implements Election {
  readonly accessPoints: readonly AccessPoint[];
  readonly #options: StaticLeaderOptions;
  #released: PromiseWithResolvers<void> | undefined;
  #closed: Promise<void> = Promise.resolve();
  #outage: Fault | undefined;

  constructor(options: StaticLeaderOptions) {
    this.#options = options;
    this.accessPoints = options.accessPoints.map((address) => ({ address, hasReplica: true }));
  }

  async run(
    onChange: (view: LeaderView) => void,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<void> {
    const { self, openStore, accessPoints } = this.#options;
    const following: LeaderView = { kind: "following", leader: self ?? accessPoints[0] };
    const ended = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
    });
    onChange(following);
    if (self === undefined) return ended;
    for (let number = 1; !signal.aborted; number++) {
      const store = await openStore({ signal }).catch((error: unknown) =>
        signal.aborted ? undefined : this.#noteOutage(error),
      );
      if (signal.aborted) await store?.close();
      if (signal.aborted) return;
      if (store === undefined) {
        await delay(RETRY_MS, { signal }).catch(() => {});
        continue;
      }
      this.#noteOpened();
      const term = new AbortController();
      const released = Promise.withResolvers<void>();
      const closed = Promise.withResolvers<void>();
      this.#released = released;
      this.#closed = closed.promise;
      const { signal: until } = term;
      onChange({
        kind: "leading",
        term: { number, store, signal: until, holds: () => !until.aborted },
      });
      await Promise.race([ended, released.promise]);
      term.abort(new DOMException("the storage of the members is released", "AbortError"));
      await store.close();
      closed.resolve();
      this.#released = undefined;
      onChange(following);
    }
  }

  /** Why the store cannot be opened. Engines and the server continue without it. */
  get outage(): Fault | undefined {
    return this.#outage;
  }

  #noteOutage(error: unknown): undefined {
    const fault = toFault(error);
    if (this.#outage?.message !== fault.message)
      this.#options.log?.error("the members cannot be opened; this host does not lead, and will try again", {
        fault,
      });
    this.#outage = fault;
  }

  #noteOpened(): void {
    if (this.#outage !== undefined) this.#options.log?.info("the members can be opened again");
    this.#outage = undefined;
  }

  /** Releases the storage, which is about to be formatted or unmounted. */
  async release(): Promise<void> {
    this.#released?.resolve();
    await this.#closed;
  }
}

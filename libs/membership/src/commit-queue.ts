import type { MemberChange, MemberStore } from "@daos/member-store";
import type { Clock } from "@daos/sys";

export interface CommitQueueOptions {
  readonly store: Pick<MemberStore, "commit">;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called after a commit, before the callers of its changes continue. */
  readonly onCommitted: (changes: readonly MemberChange[]) => void;
  /** Called after a failed commit, before the callers of all waiting changes get the failure. */
  readonly onFailed: () => void;
}

interface Waiting {
  readonly changes: readonly MemberChange[];
  readonly done: PromiseWithResolvers<void>;
}

/**
 * Combines the changes of many calls into few commits: changes that come within a millisecond, or while a commit is
 * under way, are committed together. A failed commit also fails the changes that wait, because they may build on the
 * lost ones.
 */
export class CommitQueue {
  readonly #options: CommitQueueOptions;
  #waiting: Waiting[] = [];
  #running = false;
  #commits = 0;

  constructor(options: CommitQueueOptions) {
    this.#options = options;
  }

  /** How many commits have been made. */
  get commits(): number {
    return this.#commits;
  }

  /** Nothing waits, and nothing is under way. */
  get idle(): boolean {
    return !this.#running;
  }

  /** Resolves when the changes are durable. @throws the store's error */
  push(changes: readonly MemberChange[]): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ changes, done });
    if (!this.#running) {
      this.#running = true;
      void this.#run();
    }
    return done.promise;
  }

  /** Resolves when all that was pushed before is durable. @throws as {@link push} */
  async settled(): Promise<void> {
    await this.#waiting.at(-1)?.done.promise;
  }

  async #run(): Promise<void> {
    const { store, clock, signal, onCommitted, onFailed } = this.#options;
    try {
      while (this.#waiting.length > 0) {
        await clock.delay(1, { signal });
        const batch = this.#waiting;
        const changes = batch.flatMap((one) => one.changes);
        const count = batch.length;
        await store.commit(changes, { signal });
        this.#commits++;
        onCommitted(changes);
        for (const { done } of this.#waiting.splice(0, count)) done.resolve();
      }
    } catch (error) {
      onFailed();
      for (const { done } of this.#waiting.splice(0)) done.reject(error);
    } finally {
      this.#running = false;
    }
  }
}

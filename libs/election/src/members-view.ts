import type { Member } from "@daos/member-store";
import { abortable, type Clock } from "@daos/sys";

interface Wait {
  readonly signal: AbortSignal;
}

export interface MembersViewOptions {
  /** Reads the members from their store. */
  readonly read: (wait: Wait) => Promise<readonly Member[]>;
  readonly clock: Clock;
}

/** Maximum age at which members that were read are returned again, ms: many clients ask at the same time. */
const FRESH_MS = 1_000;
/** Timeout of a read of the store, ms. */
const READ_MS = 5_000;

/**
 * The members as seen by a host that does not lead. Reads are shared. While the store cannot be read, no host can
 * change the members either, so the last result is returned.
 */
export class MembersView {
  readonly #options: MembersViewOptions;
  #last: { readonly members: readonly Member[]; readonly at: number } | undefined;
  #reading: Promise<readonly Member[]> | undefined;

  constructor(options: MembersViewOptions) {
    this.#options = options;
  }

  /** @throws the failure of the store when it has never been read; the reason of the signal */
  async get({ signal }: Wait): Promise<readonly Member[]> {
    signal.throwIfAborted();
    const { clock } = this.#options;
    if (this.#last !== undefined && clock.now() - this.#last.at < FRESH_MS) return this.#last.members;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return abortable(this.#reading, signal);
  }

  /** No caller may cancel the read: others wait for it too. */
  async #read(): Promise<readonly Member[]> {
    const { read, clock } = this.#options;
    using limit = clock.deadline(READ_MS, "read the members");
    try {
      const members = await read(limit);
      this.#last = { members, at: clock.now() };
      return members;
    } catch (error) {
      if (this.#last === undefined) throw error;
      return this.#last.members;
    }
  }
}

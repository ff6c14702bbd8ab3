import type { PoolChange, PoolRecord } from "@daos/member-store";

/**
 * The recorded pools. It checks that labels are unique, that terms only grow, and that an acknowledged pool stays recorded
 * until its destruction is requested.
 */
export class PoolHistory {
  readonly #note: (text: string) => void;
  readonly #violate: (text: string) => void;
  readonly #pools = new Map<string, PoolRecord>();
  /** Labels by uuid. */
  readonly #acknowledged = new Map<string, string>();
  readonly #destroyAsked = new Set<string>();
  #term = 0;

  constructor(note: (text: string) => void, violate: (text: string) => void) {
    this.#note = note;
    this.#violate = violate;
  }

  list(): readonly PoolRecord[] {
    return [...this.#pools.values()];
  }

  /** Pools whose creation was acknowledged, and whose destruction was not requested. */
  acknowledged(): readonly string[] {
    return [...this.#acknowledged.keys()].filter((uuid) => !this.#destroyAsked.has(uuid));
  }

  /** The creation of a pool was acknowledged, so the pool must be recorded, unless its destruction was requested meanwhile. */
  createAcknowledged(uuid: string, label: string): void {
    this.#note(`created pool ${uuid}`);
    this.#acknowledged.set(uuid, label);
    if (!this.#pools.has(uuid) && !this.#destroyAsked.has(uuid))
      this.#violate(`pool ${uuid} was acknowledged, and is not in the registry`);
  }

  /** An administrator begins to destroy a pool. */
  destroyAsked(uuid: string): void {
    this.#destroyAsked.add(uuid);
  }

  /** Commits changes in a leader's term. */
  commit(term: number, changes: readonly PoolChange[]): void {
    if (term < this.#term) this.#violate(`term ${term} commits pools after term ${this.#term} has`);
    this.#term = term;
    for (const change of changes) {
      if (change.kind === "put") this.#put(change.pool);
      else this.#remove(change.uuid);
    }
  }

  #put(pool: PoolRecord): void {
    const { uuid, label, state } = pool;
    const holder = [...this.#pools.values()].find((one) => one.label === label && one.uuid !== uuid);
    if (label !== "" && holder !== undefined)
      this.#violate(`the label ${label} of pool ${holder.uuid} is given to ${uuid}`);
    if (label !== (this.#acknowledged.get(uuid) ?? label) && !this.#destroyAsked.has(uuid))
      this.#violate(`pool ${uuid} with the label ${this.#acknowledged.get(uuid)} gets the label ${label}`);
    this.#pools.set(uuid, pool);
    this.#note(`put pool ${uuid} ${label} ${state}`);
  }

  #remove(uuid: string): void {
    if (this.#acknowledged.has(uuid) && !this.#destroyAsked.has(uuid))
      this.#violate(`pool ${uuid} was acknowledged, and is taken out of the registry`);
    this.#pools.delete(uuid);
    this.#note(`remove pool ${uuid}`);
  }
}

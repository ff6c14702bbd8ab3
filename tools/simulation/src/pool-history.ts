import type { PoolChange, PoolRecord } from "@daos/member-store";

/** The recorded pools, and the judge of them: labels are unique, and terms of leadership only grow. */
export class PoolHistory {
  readonly #note: (text: string) => void;
  readonly #violate: (text: string) => void;
  readonly #pools = new Map<string, PoolRecord>();
  #term = 0;

  constructor(note: (text: string) => void, violate: (text: string) => void) {
    this.#note = note;
    this.#violate = violate;
  }

  list(): readonly PoolRecord[] {
    return [...this.#pools.values()];
  }

  /** Makes changes durable, in a term of leadership. */
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
    this.#pools.set(uuid, pool);
    this.#note(`put pool ${uuid} ${label} ${state}`);
  }

  #remove(uuid: string): void {
    this.#pools.delete(uuid);
    this.#note(`remove pool ${uuid}`);
  }
}

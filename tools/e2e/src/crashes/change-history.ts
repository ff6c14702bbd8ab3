/** The visible state of a system: its pools, and the state of each rank. */
export interface SystemView {
  readonly pools: readonly string[];
  readonly members: readonly { readonly rank: number; readonly uuid: string; readonly state: string }[];
}

/**
 * The acknowledged changes of a system, for comparison with its state after a crash. A change that was in progress at the crash
 * may have taken effect or not.
 */
export class ChangeHistory {
  readonly #pools = new Set<string>();
  readonly #destroyed = new Set<string>();
  readonly #excluded = new Map<number, boolean>();
  readonly #identities = new Map<number, string>();
  /** Whether a pool may exist although its creation was not acknowledged. */
  #mayExist = false;
  readonly #mayBeGone = new Set<string>();
  readonly #mayBeExcluded = new Set<number>();
  #acknowledged = 0;

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** A pool whose destruction was not requested. */
  somePool(): string | undefined {
    return [...this.#pools].find((uuid) => !this.#mayBeGone.has(uuid));
  }

  isExcluded(rank: number): boolean {
    return this.#excluded.get(rank) === true;
  }

  creating(): void {
    this.#mayExist = true;
  }

  created(uuid: string): void {
    this.#pools.add(uuid);
    this.#acknowledged++;
  }

  destroying(uuid: string): void {
    this.#mayBeGone.add(uuid);
  }

  destroyed(uuid: string): void {
    this.#mayBeGone.delete(uuid);
    this.#pools.delete(uuid);
    this.#destroyed.add(uuid);
    this.#acknowledged++;
  }

  /** An exclusion or its end was requested. */
  changing(rank: number): void {
    this.#mayBeExcluded.add(rank);
  }

  changed(rank: number, isExcluded: boolean): void {
    this.#mayBeExcluded.delete(rank);
    this.#excluded.set(rank, isExcluded);
    this.#acknowledged++;
  }

  /**
   * Compares the state with the acknowledged changes, and accepts the outcome of changes in progress.
   *
   * @returns the differences
   */
  compare({ pools, members }: SystemView): readonly string[] {
    const problems: string[] = [];
    const shown = new Set(pools);
    for (const uuid of this.#pools) {
      if (!shown.has(uuid) && !this.#mayBeGone.has(uuid)) problems.push(`pool ${uuid} is lost`);
      if (!shown.has(uuid)) this.#pools.delete(uuid);
    }
    for (const uuid of shown) {
      if (this.#destroyed.has(uuid)) problems.push(`pool ${uuid} is there again`);
      else if (!this.#pools.has(uuid) && !this.#mayExist) problems.push(`pool ${uuid} was never made`);
      this.#pools.add(uuid);
    }
    for (const { rank, uuid, state } of members) {
      const before = this.#identities.get(rank) ?? uuid;
      if (before !== uuid) problems.push(`rank ${rank} was ${before} and is ${uuid}`);
      this.#identities.set(rank, uuid);
      const isExcluded = state === "excluded";
      if (!this.#mayBeExcluded.has(rank) && this.isExcluded(rank) !== isExcluded)
        problems.push(`rank ${rank} is ${state}, and ${isExcluded ? "was not" : "was"} excluded`);
      this.#excluded.set(rank, isExcluded);
    }
    for (const rank of this.#identities.keys())
      if (!members.some((member) => member.rank === rank)) problems.push(`rank ${rank} is forgotten`);
    this.#mayExist = false;
    this.#mayBeGone.clear();
    this.#mayBeExcluded.clear();
    return problems;
  }
}

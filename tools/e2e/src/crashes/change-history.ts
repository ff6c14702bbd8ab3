/** What a system shows: its pools, and the state of each rank. */
export interface SystemView {
  readonly pools: readonly string[];
  readonly members: readonly { readonly rank: number; readonly uuid: string; readonly state: string }[];
}

/**
 * What a system has acknowledged, for comparison with what it shows after a crash. What was under way when it crashed may have
 * been done or not.
 */
export class ChangeHistory {
  readonly #pools = new Set<string>();
  readonly #destroyed = new Set<string>();
  readonly #excluded = new Map<number, boolean>();
  readonly #identities = new Map<number, string>();
  /** Pools that may exist although their making was not acknowledged. */
  #mayExist = false;
  readonly #mayBeGone = new Set<string>();
  readonly #mayBeExcluded = new Set<number>();
  #acknowledged = 0;

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** A pool whose destruction has not been asked for. */
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

  /** An exclusion, or the end of one, is asked for. */
  changing(rank: number): void {
    this.#mayBeExcluded.add(rank);
  }

  changed(rank: number, isExcluded: boolean): void {
    this.#mayBeExcluded.delete(rank);
    this.#excluded.set(rank, isExcluded);
    this.#acknowledged++;
  }

  /** Takes over what the system shows for all that was under way. @returns what it has lost, or shows wrongly */
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

/** A scheduled action; cleared when it has run or was cancelled. */
export interface Timer {
  work: (() => void) | undefined;
}

/**
 * Time that advances only when all work is done. The timers of an instant run in the order in which they were set, then every
 * promise that they settle, then the next instant comes. Times are whole milliseconds.
 */
export class VirtualTime {
  #now = 0;
  /** Future instants, as a heap. */
  readonly #instants: number[] = [];
  readonly #timers = new Map<number, Timer[]>();

  get now(): number {
    return this.#now;
  }

  after(ms: number, work: () => void): Timer {
    const timer: Timer = { work };
    this.add(this.#now + Math.max(0, Math.ceil(ms)), timer);
    return timer;
  }

  add(at: number, timer: Timer): void {
    const known = this.#timers.get(at);
    if (known !== undefined) {
      known.push(timer);
      return;
    }
    this.#timers.set(at, [timer]);
    this.#push(at);
  }

  /** Advances time to `end`, or until `stop` returns true. */
  async run(end: number, stop: () => boolean): Promise<void> {
    for (;;) {
      const at = this.#instants[0];
      if (at === undefined || at > end || stop()) break;
      this.#pop();
      const timers = this.#timers.get(at) as Timer[];
      this.#timers.delete(at);
      this.#now = at;
      let worked = false;
      for (const timer of timers) {
        const { work } = timer;
        if (work === undefined) continue;
        timer.work = undefined;
        work();
        worked = true;
      }
      // The only real wait: one turn of the event loop, in which the callbacks of all settled promises run.
      if (worked) await new Promise<void>((resolve) => setImmediate(resolve));
    }
    if (!stop()) this.#now = Math.max(this.#now, end);
  }

  #push(at: number): void {
    const heap = this.#instants;
    let index = heap.length;
    heap.push(at);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as number;
      if (above <= at) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = at;
  }

  #pop(): void {
    const heap = this.#instants;
    const last = heap.pop() as number;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as number) < (heap[child] as number)) child++;
      if ((heap[child] as number) >= last) break;
      heap[index] = heap[child] as number;
      index = child;
    }
    heap[index] = last;
  }
}

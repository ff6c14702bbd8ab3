import type { Clock, Deadline } from "@daos/sys";
import type { Random } from "@daos/sys/testing";
import type { Timer, VirtualTime } from "./virtual-time.ts";

/** The wall clock of a machine, which may jump. */
export interface WallClock {
  offsetMs: number;
}

/** 2026-11-24, ms since 1970. */
const WALL_BEGIN = 1_795_478_400_000;

/**
 * A process on a machine. A killed process does nothing more, not even clean up. A paused process runs its due timers when it
 * continues. It implements the real code's `Clock` port.
 */
export class SimProcess implements Clock {
  readonly time: VirtualTime;
  readonly #random: Random;
  readonly #wall: WallClock;
  #alive = true;
  #pausedUntil = 0;
  readonly #onKill = new Set<() => void>();

  constructor(time: VirtualTime, random: Random, wall: WallClock) {
    this.time = time;
    this.#random = random;
    this.#wall = wall;
  }

  get alive(): boolean {
    return this.#alive;
  }

  kill(): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const work of [...this.#onKill]) work();
    this.#onKill.clear();
  }

  pause(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.time.now + ms);
  }

  /** @returns a function that ends it */
  onKill(work: () => void): () => void {
    this.#onKill.add(work);
    return () => void this.#onKill.delete(work);
  }

  /** Runs `work` in this process after a delay. */
  after(ms: number, work: () => void): Timer {
    const timer = this.time.after(ms, () => {});
    const due = () => {
      if (!this.#alive) return;
      if (this.time.now < this.#pausedUntil) {
        timer.work = due;
        this.time.add(this.#pausedUntil, timer);
        return;
      }
      work();
    };
    timer.work = due;
    return timer;
  }

  now(): number {
    return this.time.now;
  }

  wallTime(): number {
    return WALL_BEGIN + this.time.now + this.#wall.offsetMs;
  }

  random(): number {
    return this.#random.next();
  }

  delay(ms: number, { signal }: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const onAbort = () => {
        timer.work = undefined;
        reject(signal?.reason);
      };
      const timer = this.after(ms, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  deadline(ms: number, waitingFor: string, parent?: AbortSignal): Deadline {
    const controller = new AbortController();
    const onParent = () => {
      dispose();
      controller.abort(parent?.reason);
    };
    const timer = this.after(ms, () => {
      dispose();
      controller.abort(new DOMException(`no end of "${waitingFor}" within ${ms} ms`, "TimeoutError"));
    });
    const dispose = () => {
      timer.work = undefined;
      parent?.removeEventListener("abort", onParent);
    };
    if (parent?.aborted) onParent();
    else parent?.addEventListener("abort", onParent, { once: true });
    return { signal: controller.signal, [Symbol.dispose]: dispose };
  }
}

import { setImmediate } from "node:timers/promises";
import { Fault, FaultCode } from "@daos/fault";
import type { Superblock } from "@daos/superblock";
import { abortable, type Clock, systemClock } from "@daos/sys";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { InstanceFormatResult } from "./engine-storage.ts";
import type { StoragePart } from "./instance-parts.ts";
import { FakeEngine } from "./testing/fake-engine.ts";

const { signal } = new AbortController();

/** Time that passes only when the test says so. */
class VirtualClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Set<{ readonly atMs: number; readonly fire: () => void }>();
  readonly wallTime = () => 0;
  readonly random = () => 0.5;
  readonly now = () => this.#nowMs;

  async delay(ms: number, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = { atMs: this.#nowMs + ms, fire: resolve };
    this.#timers.add(timer);
    try {
      await (options.signal === undefined ? promise : abortable(promise, options.signal));
    } finally {
      this.#timers.delete(timer);
    }
  }

  deadline(ms: number, waitingFor: string, parent?: AbortSignal) {
    const real = systemClock.deadline(2 ** 30, waitingFor, parent);
    const over = new AbortController();
    const fire = () => over.abort(new DOMException(waitingFor, "TimeoutError"));
    const timer = { atMs: this.#nowMs + ms, fire };
    this.#timers.add(timer);
    const dispose = () => {
      this.#timers.delete(timer);
      real[Symbol.dispose]();
    };
    return { signal: AbortSignal.any([real.signal, over.signal]), [Symbol.dispose]: dispose };
  }

  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    for (;;) {
      await setImmediate();
      const due = [...this.#timers].filter(({ atMs }) => atMs <= end).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.fire();
    }
    this.#nowMs = end;
  }
}

const identity = { uuid: "4d0d1a5c-4d3a-4a38-8f0e-2f8b4d7d9b1e", rank: 3, validRank: true } as Superblock;

/** Storage whose steps take time. Two of them at the same time are an error. */
class SlowStorage {
  isThere = true;
  /** A format has emptied it, and it has no superblock yet. */
  isFormatted = false;
  superblock: Superblock | undefined;
  isAbsent = false;
  readonly overlaps: string[] = [];
  #step: string | undefined;
  readonly #clock: Clock;

  constructor(clock: Clock, superblock: Superblock | undefined) {
    this.#clock = clock;
    this.superblock = superblock;
  }

  async #alone<T>(step: string, ms: number, work: () => T): Promise<T> {
    if (this.#step !== undefined) this.overlaps.push(`${step} during ${this.#step}`);
    this.#step = step;
    await this.#clock.delay(ms, {});
    this.#step = undefined;
    return work();
  }

  readonly part: Partial<StoragePart> = (() => {
    const storage = () => this;
    return {
      get superblock() {
        return storage().superblock;
      },
      get isAbsent() {
        return storage().isAbsent;
      },
      open: () =>
        this.#alone("open", 700, () => {
          this.isAbsent = !this.isThere;
          if (!this.isThere) return "there is no namespace";
          return this.superblock === undefined ? "SCM is not formatted" : undefined;
        }),
      format: () =>
        this.#alone("format", 6_500, (): InstanceFormatResult => {
          const done = { mount: "/mnt/daos0", bdevs: [] };
          if (!this.isThere) return { ...done, scmFault: fault("there is no namespace") };
          this.superblock = undefined;
          this.isFormatted = true;
          return done;
        }),
      createSuperblock: () =>
        this.#alone("createSuperblock", 100, () => {
          this.superblock = identity;
        }),
      erase: () =>
        this.#alone("erase", 1_500, () => {
          this.superblock = undefined;
          this.isFormatted = false;
        }),
    };
  })();
}

function fault(description: string): Fault {
  return new Fault({ domain: "scm", code: FaultCode.scmNamespaceMissing, description, resolution: "none" });
}

type Step =
  | { readonly kind: "start" | "stop" | "format" | "erase" | "appear" | "disappear" | "crash" }
  | { readonly kind: "steps"; readonly count: number }
  | { readonly kind: "time"; readonly ms: number };

const step = fc.oneof(
  fc
    .constantFrom("start", "stop", "format", "erase", "appear", "disappear", "crash")
    .map((kind) => ({ kind })),
  fc.nat(6).map((count) => ({ kind: "steps", count })),
  fc.constantFrom(1, 699, 700, 1_000, 4_999, 5_000, 7_000, 30_000).map((ms) => ({ kind: "time", ms })),
) as fc.Arbitrary<Step>;

/** Carries out requests and events in this order. @returns what is wrong afterwards */
async function play(
  steps: readonly Step[],
  superblock: Superblock | undefined,
  autoFormat = false,
): Promise<readonly string[]> {
  const clock = new VirtualClock();
  const storage = new SlowStorage(clock, superblock);
  // Assigned with its getters: Object.assign would read them once.
  const part = (own: StoragePart) =>
    Object.defineProperties(own, Object.getOwnPropertyDescriptors(storage.part));
  using engine = new FakeEngine({
    options: { autoFormat, onStorageReady: () => clock.delay(300) },
    parts: { clock },
    replaceStorage: part,
  });
  const { instance } = engine;
  const wrong: string[] = [];
  let wish: "run" | "stop" = "run";
  /** Stops are counted, so that a refusal can be compared with the requests before it. */
  let stops = 0;
  const pending = new Set<string>();
  const track = (name: string, work: Promise<unknown>) => {
    const key = `${name} ${pending.size}`;
    pending.add(key);
    work.catch(() => {}).finally(() => pending.delete(key));
  };
  const format = async () => {
    const [wished, stopsBefore] = [wish, stops];
    const { scmFault } = await instance.format({ reformat: true, signal });
    const said = scmFault?.message ?? "";
    if (said.includes("not been opened yet")) wrong.push(said);
    if (said.includes("was stopped") && wished === "run" && stops === stopsBefore) wrong.push(said);
    return scmFault;
  };
  for (const { kind, ...how } of steps) {
    if (kind === "start") {
      wish = "run";
      instance.start();
    } else if (kind === "stop") {
      wish = "stop";
      stops++;
      track(kind, instance.stop({ force: false, signal }));
    } else if (kind === "format") track(kind, format());
    else if (kind === "erase") {
      const erased = instance.erase({ signal }).then(() => {
        wish = "run";
      });
      track(kind, erased);
    } else if (kind === "appear" || kind === "disappear") storage.isThere = kind === "appear";
    else if (kind === "crash" && instance.state.kind === "serving") engine.process.crash();
    else if ("count" in how) for (let left = how.count; left > 0; left--) await Promise.resolve();
    else if ("ms" in how) await clock.advance(how.ms);
  }
  storage.isThere = true;
  await clock.advance(120_000);
  if (pending.size > 0) wrong.push(`without an answer: ${[...pending]}`);
  if (instance.state.kind === "awaiting format") {
    if (storage.isFormatted) wrong.push("a format was lost");
    const scmFault = await Promise.all([format(), clock.advance(60_000)]).then(([found]) => found);
    if (scmFault !== undefined) wrong.push(scmFault.message);
    if (storage.superblock === undefined) wrong.push("there is no superblock after a format");
  }
  const end = instance.state.kind;
  if (end !== (wish === "run" ? "serving" : "stopped")) wrong.push(`it is ${end} after the wish to ${wish}`);
  return [...wrong, ...storage.overlaps];
}

it("EngineInstance carries out the last request, and loses no format, in every order of requests and events", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 14 }),
      fc.boolean(),
      fc.boolean(),
      async (steps, isFormatted, auto) => {
        expect(await play(steps, isFormatted ? identity : undefined, auto)).toEqual([]);
      },
    ),
    { numRuns: Number(process.env.DAOS_ORDERS ?? 300) },
  );
});

it.each([
  ["start and format at the same time", undefined, ["start", "format"]],
  ["stop right after start", identity, ["stop", "time", "start", "stop"]],
  ["erase while a start opens the storage", identity, ["stop", "time", "start", "moment", "erase"]],
  ["format right after erase", identity, ["stop", "time", "erase", "time", "format"]],
] as const)("EngineInstance carries out both requests: %s", async (_, superblock, kinds) => {
  const steps = kinds.map((kind): Step => {
    if (kind === "time") return { kind, ms: 1_500 };
    return kind === "moment" ? { kind: "time", ms: 1 } : { kind };
  });
  expect(await play([{ kind: "time", ms: 1_500 }, ...steps], superblock)).toEqual([]);
});

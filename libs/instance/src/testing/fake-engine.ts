import { silentLogger } from "@daos/log";
import type { Rank } from "@daos/rank";
import type { Superblock } from "@daos/superblock";
import { abortable, type Clock, systemClock } from "@daos/sys";
import type { EngineConnection } from "../engine-client.ts";
import type { EngineExit } from "../engine-process.ts";
import { EngineInstance, type InstanceOptions } from "../instance.ts";
import type { InstanceParts, ProcessPart, StoragePart } from "../instance-parts.ts";
import type { InstanceState } from "../instance-state.ts";

/** The differences from an engine all of whose steps succeed. */
export interface FakeEngineOptions {
  readonly options?: Partial<InstanceOptions>;
  readonly storage?: Partial<StoragePart>;
  /** Replaces parts of the storage, also such as change. */
  readonly replaceStorage?: (storage: StoragePart) => StoragePart;
  readonly parts?: Partial<InstanceParts>;
  readonly client?: Partial<EngineConnection>;
  /** The SCM has no superblock yet. */
  readonly unformatted?: boolean;
}

/** Timeout of a test for an expected event, ms. */
const WAIT_TIMEOUT_MS = 30_000;

/**
 * An engine instance on storage, processes and time that are the test's. A process gets ready at once, answers every call
 * with 0, and runs until it is ended or asked to stop; a pause lasts until the test ends it.
 */
export class FakeEngine implements Disposable {
  readonly instance: EngineInstance;
  readonly processes: FakeProcess[] = [];
  /** What the SCM holds. */
  superblock: Superblock | undefined;
  readonly #pauses = new Map<number, () => void>();
  readonly #watchers = new Set<() => void>();
  readonly #stop = new AbortController();

  constructor(given: FakeEngineOptions = {}) {
    const { options, storage, parts, client, unformatted = false, replaceStorage = (own) => own } = given;
    if (!unformatted) this.superblock = identity();
    const connection: EngineConnection = {
      call: () => Promise.resolve({ status: 0 } as never),
      close: () => {},
      isOpen: true,
      ...client,
    };
    this.instance = new EngineInstance(
      { ...defaults, ...options, onChange: () => this.#changed() },
      {
        clock: this.#clock(),
        openStorage: () => replaceStorage(Object.assign(this.#storage(), storage)),
        startProcess: async () => this.#start(),
        connect: async () => connection,
        checkSocket: async () => {},
        ...parts,
      },
    );
    void this.instance.run(this.#stop.signal);
  }

  /** The process that was started last. */
  get process(): FakeProcess {
    return this.processes.at(-1) as FakeProcess;
  }

  /** Resolves once the instance is in such a state. */
  async reached(kind: InstanceState["kind"]): Promise<void> {
    await this.#until(() => this.instance.state.kind === kind, `state ${kind}`);
  }

  /** Ends the pause of such a length, once it has begun. */
  async endPause(ms: number): Promise<void> {
    await this.#until(() => this.#pauses.has(ms), `a pause of ${ms} ms`);
    this.#pauses.get(ms)?.();
  }

  [Symbol.dispose](): void {
    this.#stop.abort(new Error("the test has ended"));
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    using limit = systemClock.deadline(WAIT_TIMEOUT_MS, `${what}, not ${this.instance.state.kind}`);
    while (!holds()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#watchers.add(resolve);
      await abortable(promise, limit.signal);
    }
  }

  #changed(): void {
    for (const resolve of this.#watchers) resolve();
    this.#watchers.clear();
  }

  #clock(): Clock {
    return {
      ...systemClock,
      random: () => 0.5,
      delay: async (ms, { signal }) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#pauses.set(ms, resolve);
        this.#changed();
        try {
          await (signal === undefined ? promise : abortable(promise, signal));
        } finally {
          this.#pauses.delete(ms);
        }
      },
    };
  }

  #storage(): StoragePart {
    const writeSuperblock = async (next: Superblock) => {
      this.superblock = next;
    };
    const superblock = () => this.superblock;
    return {
      get superblock() {
        return superblock();
      },
      isAbsent: false,
      open: async () => (this.superblock === undefined ? "SCM is not formatted" : undefined),
      format: async () => ({ mount: "/mnt/daos0", bdevs: [] }),
      createSuperblock: () => writeSuperblock(identity()),
      erase: async () => {
        this.superblock = undefined;
      },
      writeSuperblock,
      prepareBdevs: async () => undefined,
      verify: async () => {},
    };
  }

  #start(): FakeProcess {
    const started = new FakeProcess(this.processes.length + 1);
    this.processes.push(started);
    const ready = { uri: "ofi+tcp://127.0.0.1:31416", contexts: 1, socket: "/run/engine.sock" };
    queueMicrotask(() => void this.instance.notifyReady(ready));
    return started;
  }
}

/** A process that runs until it is ended. */
export class FakeProcess implements ProcessPart {
  readonly pid: number;
  readonly exited: Promise<EngineExit>;
  /** The grace of each request to stop, ms. */
  readonly stops: number[] = [];
  readonly #end: (exit: EngineExit) => void;

  constructor(pid: number) {
    this.pid = pid;
    const { promise, resolve } = Promise.withResolvers<EngineExit>();
    this.exited = promise;
    this.#end = resolve;
  }

  crash(): void {
    this.#end({ code: null, signal: "SIGSEGV" });
  }

  stop(graceMs: number): Promise<EngineExit> {
    this.stops.push(graceMs);
    this.#end({ code: null, signal: "SIGTERM" });
    return this.exited;
  }
}

const defaults: Omit<InstanceOptions, "onChange"> = {
  config: {
    index: 0,
    targets: 8,
    nrXsHelpers: 2,
    firstCore: 0,
    provider: "ofi+tcp",
    fabricIface: "eth0",
    fabricIfacePort: 31_416,
    envVars: [],
    scm: { class: "ram", mount: "/mnt/daos0", sizeGiB: 4 },
    bdev: { class: "nvme", list: [], number: 0, sizeGB: 0 },
    systemName: "daos_server",
    socketDir: "/run/daos",
  },
  replica: "none",
  msAddress: "127.0.0.1:10001",
  scm: {} as InstanceOptions["scm"],
  bdev: {} as InstanceOptions["bdev"],
  mayMount: true,
  recreateSuperblocks: false,
  findEngine: async () => "daos_io_server",
  join: async () => ({ rank: 3 as Rank, incarnation: 1 }),
  onStorageReady: async () => {},
  onStorageReleased: async () => {},
  log: silentLogger,
  engineLog: silentLogger,
  autoFormat: false,
  provisionOnly: false,
  readyTimeoutMs: 60_000,
};

/** Of an engine that has its rank. */
function identity(): Superblock {
  return {
    version: 0,
    uuid: "4d0d1a5c-4d3a-4a38-8f0e-2f8b4d7d9b1e",
    system: "daos_server",
    rank: 3 as Rank,
    validRank: true,
    ms: false,
    createMs: false,
    bootstrapMs: false,
  };
}

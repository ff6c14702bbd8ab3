import { create } from "@bufbuild/protobuf";
import { drpcMethods } from "@daos/drpc";
import type { ReplicaRole } from "@daos/election";
import { Fault, FaultCode } from "@daos/fault";
import type { Harness } from "@daos/harness";
import type {
  EngineExit,
  EngineInstance,
  EngineStorageOptions,
  InstanceParts,
  ProcessPart,
  StoragePart,
} from "@daos/instance";
import { mgmt } from "@daos/proto";
import { createSuperblock } from "@daos/superblock";
import type { Random } from "@daos/sys/testing";
import type { DataPlane, DataPlaneHost } from "./data-plane.ts";
import type { History } from "./history.ts";
import type { RestartChecker } from "./restart-checker.ts";
import type { SimDisk } from "./sim-disk.ts";
import type { SimProcess } from "./sim-process.ts";

type Client = Awaited<ReturnType<InstanceParts["connect"]>>;

/** The behaviour of an engine from its next start on. */
export interface EngineFault {
  /** It dies this long after each start, ms. */
  readonly diesAfterMs?: number | undefined;
  /** It never becomes ready. */
  readonly stuck?: boolean | undefined;
}

/** The machine of an engine. */
export interface EngineHost extends DataPlaneHost {
  readonly replica: ReplicaRole;
  readonly disks: readonly SimDisk[];
  readonly engineFaults: readonly EngineFault[];
  readonly restartCheckers: readonly RestartChecker[];
}

/** The server that starts an engine. */
interface EngineServer {
  readonly process: SimProcess;
  readonly random: Random;
  readonly host: EngineHost;
  readonly world: { readonly history: History; readonly dataPlane: DataPlane };
  readonly harness: Pick<Harness, "instances">;
}

/** One engine of a simulated server: the ports of an instance. */
export class SimEngine {
  readonly #server: EngineServer;
  readonly #index: number;
  #process: SimEngineProcess | undefined;
  #starts = 0;

  constructor(server: EngineServer, index: number) {
    this.#server = server;
    this.#index = index;
  }

  /** The running process. */
  get process(): SimEngineProcess | undefined {
    return this.#process;
  }

  get #instance(): EngineInstance {
    return this.#server.harness.instances[this.#index] as EngineInstance;
  }

  parts(): InstanceParts {
    return {
      clock: this.#server.process,
      openStorage: (options) => this.#openStorage(options),
      startProcess: async () => this.#start(),
      connect: async () => this.#connect(),
      checkSocket: async () => {},
    };
  }

  /** The engine dies unexpectedly. */
  crash(): void {
    this.#process?.end({ code: null, signal: "SIGSEGV" });
  }

  #start(): ProcessPart {
    const { process, host, random } = this.#server;
    host.restartCheckers[this.#index]?.started(process.now(), this.#server.world.history);
    const started = new SimEngineProcess(this.#server, ++this.#starts);
    this.#process = started;
    void started.exited.then(() => {
      if (this.#process === started) this.#process = undefined;
      if (host.replica !== "none" && this.#index === 0) this.#server.world.dataPlane.ended(host);
      host.restartCheckers[this.#index]?.ended(process.now());
    });
    const engineFault = host.engineFaults[this.#index] ?? {};
    const port = 31_416 + this.#index + (random.chance(0.1) ? 100 * this.#starts : 0);
    if (engineFault.stuck !== true) {
      process.after(random.whole(200, 1_500), () => {
        if (started.ended) return;
        const uri = `ofi+tcp://${host.address.host}:${port}`;
        void this.#instance.notifyReady({ uri, contexts: 2, socket: `${this.#index}.sock` }).catch(() => {});
      });
    }
    if (engineFault.diesAfterMs !== undefined)
      process.after(engineFault.diesAfterMs, () => started.end({ code: 1, signal: null }));
    return started;
  }

  #connect(): Client {
    const { process } = this.#server;
    const engine = this.#process;
    const gone = () =>
      new Fault({
        domain: "drpc",
        code: FaultCode.drpcConnectionLost,
        description: "call of the engine",
        reason: "the connection was closed",
        resolution: "look in the engine's log",
      });
    if (engine === undefined) throw gone();
    const call: (...args: Parameters<Client["call"]>) => Promise<unknown> = (method, request, wait) => {
      const signal = wait?.signal;
      return new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        if (engine.ended) throw gone();
        const onAbort = () => reject(signal?.reason);
        signal?.addEventListener("abort", onAbort, { once: true });
        void engine.exited.then(() => {
          signal?.removeEventListener("abort", onAbort);
          reject(gone());
        });
        process.after(this.#answersAfter(method.name), () => {
          if (engine.ended || engine.hung) return;
          signal?.removeEventListener("abort", onAbort);
          resolve(this.#answer(engine, method.name, request));
        });
      });
    };
    return {
      call: call as Client["call"],
      close: () => {},
      get isOpen() {
        return !engine.ended;
      },
    };
  }

  /** A pool operation takes time, and continues when its caller has gone. */
  #answersAfter(method: string): number {
    const { poolCreate, poolDestroy } = drpcMethods;
    const isLong = method === poolCreate.name || method === poolDestroy.name;
    return isLong ? this.#server.random.whole(5, 4_000) : 1;
  }

  #answer(engine: SimEngineProcess, method: string, request: unknown): unknown {
    const { host, world } = this.#server;
    switch (method) {
      case drpcMethods.killRank.name:
        this.#server.process.after(this.#server.random.whole(5, 2_000), () =>
          engine.end({ code: 0, signal: null }),
        );
        return { status: 0 };
      case drpcMethods.createMs.name: {
        const { bootstrap, uuid } = request as { readonly bootstrap: boolean; readonly uuid: string };
        return { status: world.dataPlane.create(host, { uuid, rank: 0, uri: "", addr: "" }, bootstrap) };
      }
      case drpcMethods.startMs.name:
        world.dataPlane.started(host);
        return { status: 0 };
      case drpcMethods.join.name: {
        const { status, rank } = world.dataPlane.join(
          host,
          request as Parameters<typeof world.dataPlane.join>[1],
        );
        // It may be forwarded to another host.
        return create(mgmt.JoinRespSchema, { status, rank });
      }
      case drpcMethods.poolCreate.name: {
        const made = world.dataPlane.createPool(host, request as mgmt.PoolCreateReq);
        return create(mgmt.PoolCreateRespSchema, made);
      }
      case drpcMethods.poolDestroy.name: {
        const done = world.dataPlane.destroyPool(host, request as mgmt.PoolDestroyReq);
        return create(mgmt.PoolDestroyRespSchema, done);
      }
      case drpcMethods.listPools.name:
        return create(mgmt.ListPoolsRespSchema, world.dataPlane.poolsAt(host));
      default:
        return { status: 0 };
    }
  }

  #openStorage({ config, replica, log }: EngineStorageOptions): StoragePart {
    const { host, random } = this.#server;
    const disk = host.disks[this.#index] as (typeof host.disks)[number];
    let superblock = disk.superblock;
    const storage: StoragePart = {
      get superblock() {
        return superblock;
      },
      isAbsent: false,
      async open() {
        if (disk.foreign) return "it was erased";
        superblock = disk.superblock;
        return superblock === undefined ? "SCM is not formatted" : undefined;
      },
      async format({ reformat }) {
        const { mount } = config.scm;
        if (disk.foreign && !reformat) {
          const scmFault = new Fault({
            domain: "scm",
            code: FaultCode.storageAlreadyFormatted,
            description: `format SCM at ${mount}`,
            resolution: 'use "--reformat"',
          });
          return { mount, scmFault, bdevs: [] };
        }
        disk.foreign = false;
        return { mount, bdevs: [] };
      },
      async createSuperblock() {
        const made = createSuperblock({ system: config.systemName, rank: config.rank, replica });
        await storage.writeSuperblock({ ...made, uuid: random.uuid() });
        log.info("superblock created", { uuid: superblock?.uuid });
      },
      async erase() {
        disk.superblock = undefined;
        disk.foreign = true;
        superblock = undefined;
      },
      async writeSuperblock(next) {
        disk.superblock = next;
        superblock = next;
      },
      prepareBdevs: async () => undefined,
      verify: async () => {},
    };
    return storage;
  }
}

/** A process of an engine. */
export class SimEngineProcess implements ProcessPart {
  readonly pid: number;
  readonly exited: Promise<EngineExit>;
  /** It runs, but never answers. */
  hung = false;
  /** True when the data plane knows this process. Otherwise every pool create on its rank fails with DER_GRPVER. */
  hasGroupMap = false;
  readonly #server: EngineServer;
  readonly #resolve: (exit: EngineExit) => void;
  #ended = false;

  constructor(server: EngineServer, pid: number) {
    this.#server = server;
    this.pid = pid;
    const { promise, resolve } = Promise.withResolvers<EngineExit>();
    this.exited = promise;
    this.#resolve = resolve;
  }

  get ended(): boolean {
    return this.#ended;
  }

  end(exit: EngineExit): void {
    if (this.#ended || !this.#server.process.alive) return;
    this.#ended = true;
    this.#resolve(exit);
  }

  stop(graceMs: number): Promise<EngineExit> {
    const { process, random } = this.#server;
    if (!this.hung) process.after(random.whole(10, 1_000), () => this.end({ code: null, signal: "SIGTERM" }));
    process.after(graceMs, () => this.end({ code: null, signal: "SIGKILL" }));
    return this.exited;
  }
}

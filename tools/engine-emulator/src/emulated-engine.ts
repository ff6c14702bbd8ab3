import {
  type BodyInit,
  type BoundMethod,
  type DrpcModule,
  drpcMethods,
  drpcModule,
  drpcModules,
  type HandlerContext,
  handle,
} from "@daos/drpc";
import type { Logger } from "@daos/log";
import { mgmt } from "@daos/proto";
import { abortable, delay } from "@daos/sys";
import { deleteFromAcl, normalizeAcl, updateAcl } from "./acl.ts";
import type { Capacity } from "./capacity.ts";
import type { EngineState, ManagementService, Pool, Server } from "./engine-state.ts";
import type { Fabric } from "./fabric.ts";
import type { MethodFaults } from "./injected-faults.ts";
import { join } from "./join.ts";
import { findPool, planPool } from "./pools.ts";
import type { Change, StateStore } from "./state-store.ts";
import { parseUuid, STATUS } from "./status.ts";

export interface EmulatedEngineOptions {
  readonly store: StateStore;
  readonly capacity: Capacity;
  readonly targets: number;
  readonly uri: string;
  readonly nctxs: number;
  readonly fabric: Fabric;
  readonly faults: ReadonlyMap<string, MethodFaults>;
  readonly log: Logger;
  /** Ends the process after the answer to KillRank. */
  readonly exit: () => void;
  /** Ends the process like `kill -9`. */
  readonly crash: () => void;
}

/** In kelvin, like SPDK. */
const HEALTHY_TEMPERATURE = 310;

/** The result of a mgmt request: the new state of the service, if it changes, and the answer. */
interface MsChange<T> {
  readonly ms?: ManagementService;
  readonly answer: T;
}

/** The mgmt module of an engine: it answers all requests of the control plane to `daos_io_server`, without a data plane. */
export class EmulatedEngine {
  readonly module: DrpcModule;
  readonly #options: EmulatedEngineOptions;
  #rank: number | undefined;
  #started = false;
  /** The process of each server, by uuid, that has the group map. A process that was started later does not have it. */
  readonly #processes = new Map<string, string | undefined>();

  constructor(options: EmulatedEngineOptions) {
    this.#options = options;
    this.module = drpcModule(
      drpcModules.mgmt,
      this.#handlers().map((bound) => this.#withFaults(bound)),
    );
  }

  get #state(): EngineState {
    return this.#options.store.state;
  }

  #handlers(): BoundMethod[] {
    return [
      handle(drpcMethods.setRank, ({ rank }) => this.#setRank(rank)),
      handle(drpcMethods.createMs, (request) => this.#createMs(request)),
      handle(drpcMethods.startMs, () => this.#startMs()),
      handle(drpcMethods.setUp, () => ({ status: this.#rank === undefined ? STATUS.UNINIT : 0 })),
      handle(drpcMethods.join, (request) => this.#join(request)),
      handle(drpcMethods.getAttachInfo, () => this.#getAttachInfo()),
      handle(drpcMethods.poolCreate, (request) => this.#poolCreate(request)),
      handle(drpcMethods.poolDestroy, ({ uuid }) => this.#poolDestroy(uuid)),
      handle(drpcMethods.listPools, () => this.#listPools()),
      handle(drpcMethods.poolGetAcl, ({ uuid }) => this.#changePool(uuid, (pool) => pool.acl)),
      handle(drpcMethods.poolOverwriteAcl, ({ uuid, ACL }) =>
        this.#changePool(uuid, () => normalizeAcl(ACL) ?? STATUS.INVAL),
      ),
      handle(drpcMethods.poolUpdateAcl, ({ uuid, ACL }) =>
        this.#changePool(uuid, (pool) => updateAcl(pool.acl, ACL) ?? STATUS.INVAL),
      ),
      handle(drpcMethods.poolDeleteAcl, ({ uuid, principal }) =>
        this.#changePool(uuid, (pool) => {
          const outcome = deleteFromAcl(pool.acl, principal);
          if (outcome.kind === "deleted") return outcome.acl;
          return outcome.kind === "missing" ? STATUS.NONEXIST : STATUS.INVAL;
        }),
      ),
      handle(drpcMethods.bioHealthQuery, (request) => this.#bioHealth(request)),
      handle(drpcMethods.smdListDevs, () => ({
        devices: this.#state.devices.map(({ uuid }, index) => ({ uuid, tgtIds: this.#targetsOf(index) })),
      })),
      handle(drpcMethods.smdListPools, () => this.#smdPools()),
      handle(drpcMethods.prepShutdown, () => ({})),
      handle(drpcMethods.killRank, (_, { onAnswered }) => {
        this.#options.log.info("killed by request", { rank: this.#rank });
        onAnswered(this.#options.exit);
        return {};
      }),
    ];
  }

  #withFaults(bound: BoundMethod): BoundMethod {
    const faults = this.#options.faults.get(bound.method.name);
    if (faults === undefined) return bound;
    const serve = async (body: Uint8Array, context: HandlerContext) => {
      this.#options.log.warn("an injected fault", { method: bound.method.name, ...faults });
      if (faults.slow !== undefined) await delay(faults.slow, context);
      if (faults.hang) await abortable(new Promise<never>(() => {}), context.signal);
      if (faults.crash) this.#options.crash();
      if (faults.failure) throw new Error("an injected failure");
      // Every response of the module has its status in field 1, so the smallest response is a valid answer to every request.
      if (faults.status !== undefined) return statusOnly(faults.status).serve(new Uint8Array(0), context);
      const answer = await bound.serve(body, context);
      if (faults.crashAfter) this.#options.crash();
      return answer;
    };
    return { method: bound.method, serve };
  }

  #setRank(rank: number): { status: number } {
    if (this.#rank !== undefined && this.#rank !== rank) return { status: STATUS.EXIST };
    this.#rank = rank;
    return { status: 0 };
  }

  #createMs(request: mgmt.CreateMsReq): Promise<{ status: number }> {
    return this.#options.store.update((state) => {
      const refuse = (status: number) => ({ state, answer: { status } });
      if (this.#rank === undefined) return refuse(STATUS.UNINIT);
      if (state.ms !== undefined) return refuse(this.#started ? STATUS.ALREADY : STATUS.EXIST);
      const uuid = parseUuid(request.uuid);
      if (request.bootstrap && uuid === undefined) return refuse(STATUS.INVAL);
      const { uri, nctxs } = this.#options;
      // The bootstrapping server never joins. It is the first member from the beginning.
      const self = { rank: this.#rank, uuid: uuid ?? "", uri, nctxs, addr: request.addr };
      const ms = { leads: request.bootstrap, servers: request.bootstrap ? [self] : [], pools: [] };
      this.#started = true;
      return { state: { ...state, ms }, answer: { status: 0 } };
    });
  }

  async #startMs(): Promise<{ status: number }> {
    const { ms } = this.#state;
    if (ms === undefined) return { status: STATUS.NONEXIST };
    // A new leader sends the group map to all running ranks.
    for (const { server, process } of await this.#processesOf(ms)) this.#processes.set(server.uuid, process);
    this.#started = true;
    return { status: 0 };
  }

  #processesOf(
    ms: ManagementService,
  ): Promise<readonly { readonly server: Server; readonly process: string | undefined }[]> {
    const others = ms.servers.filter(({ rank }) => rank !== this.#rank);
    return Promise.all(
      others.map(async (server) => ({ server, process: await this.#options.fabric.processAt(server.uri) })),
    );
  }

  /** The ranks that were restarted and have not joined since. Requests for pools on them are refused. */
  async #staleRanks(): Promise<ReadonlySet<number>> {
    const { ms } = this.#state;
    const running = ms === undefined ? [] : await this.#processesOf(ms);
    const stale = running.filter(
      ({ server, process }) => process !== undefined && process !== this.#processes.get(server.uuid),
    );
    return new Set(stale.map(({ server }) => server.rank));
  }

  async #join(request: mgmt.JoinReq): Promise<BodyInit<typeof mgmt.JoinRespSchema>> {
    const { uuid, rank, uri, nctxs, addr } = request;
    const process = await this.#options.fabric.processAt(uri);
    return this.#onLeader<BodyInit<typeof mgmt.JoinRespSchema>>((ms) => {
      const outcome = join(ms, { uuid, rank, uri, nctxs, addr });
      if (outcome.rank === undefined) return { answer: { status: outcome.status } };
      this.#processes.set(uuid.toLowerCase(), process);
      return { ms: outcome.ms, answer: { rank: outcome.rank, state: mgmt.JoinResp_State.IN } };
    });
  }

  /** Clients attach to the replicas of the management service. The only one is this engine. */
  async #getAttachInfo(): Promise<BodyInit<typeof mgmt.GetAttachInfoRespSchema>> {
    return this.#onLeader<BodyInit<typeof mgmt.GetAttachInfoRespSchema>>((ms) => ({
      answer: {
        psrs: ms.servers.filter(({ rank }) => rank === this.#rank).map(({ rank, uri }) => ({ rank, uri })),
      },
    }));
  }

  async #poolCreate(request: mgmt.PoolCreateReq): Promise<BodyInit<typeof mgmt.PoolCreateRespSchema>> {
    const stale = await this.#staleRanks();
    return this.#onLeader<BodyInit<typeof mgmt.PoolCreateRespSchema>>((ms) => {
      const { status, pool } = planPool(ms, this.#options.capacity, request);
      if (pool === undefined) return { answer: { status } };
      if (pool.ranks.some((rank) => stale.has(rank))) return { answer: { status: STATUS.GRPVER } };
      return { ms: { ...ms, pools: [...ms.pools, pool] }, answer: { svcreps: [...pool.svcReps] } };
    });
  }

  /** Destroying a pool that does not exist succeeds. */
  async #poolDestroy(uuid: string): Promise<{ status?: number }> {
    const stale = await this.#staleRanks();
    return this.#onLeader<{ status?: number }>((ms) => {
      if (parseUuid(uuid) === undefined) return { answer: { status: STATUS.INVAL } };
      const pool = findPool(ms, uuid);
      if (pool === undefined) return { answer: {} };
      if (pool.ranks.some((rank) => stale.has(rank))) return { answer: { status: STATUS.GRPVER } };
      return { ms: { ...ms, pools: ms.pools.filter((one) => one !== pool) }, answer: {} };
    });
  }

  async #listPools(): Promise<BodyInit<typeof mgmt.ListPoolsRespSchema>> {
    return this.#onLeader<BodyInit<typeof mgmt.ListPoolsRespSchema>>((ms) => ({
      answer: { pools: ms.pools.map(({ uuid, svcReps }) => ({ uuid, svcreps: [...svcReps] })) },
    }));
  }

  /** Replaces the list of a pool by the result of `change`, or answers with the status from `change`. */
  async #changePool(
    uuid: string,
    change: (pool: Pool) => readonly string[] | number,
  ): Promise<BodyInit<typeof mgmt.ACLRespSchema>> {
    return this.#onLeader<BodyInit<typeof mgmt.ACLRespSchema>>((ms) => {
      if (parseUuid(uuid) === undefined) return { answer: { status: STATUS.INVAL } };
      const pool = findPool(ms, uuid);
      if (pool === undefined) return { answer: { status: STATUS.NONEXIST } };
      const acl = change(pool);
      if (typeof acl === "number") return { answer: { status: acl } };
      const answer = { ACL: [...acl] };
      if (acl === pool.acl) return { answer };
      return { ms: { ...ms, pools: ms.pools.map((one) => (one === pool ? { ...pool, acl } : one)) }, answer };
    });
  }

  #bioHealth(request: mgmt.BioHealthReq): BodyInit<typeof mgmt.BioHealthRespSchema> {
    const { devUuid, tgtId } = request;
    if ((devUuid === "") === (tgtId === "")) return { status: STATUS.INVAL };
    const device = this.#state.devices.find(({ uuid }, index) =>
      devUuid === "" ? this.#targetsOf(index).includes(Number(tgtId)) : uuid === parseUuid(devUuid),
    );
    if (device === undefined) return { status: STATUS.NONEXIST };
    return { devUuid: device.uuid, temperature: HEALTHY_TEMPERATURE };
  }

  /** One blob for each pool with NVMe on this rank, on each target. */
  #smdPools(): BodyInit<typeof mgmt.SmdPoolRespSchema> {
    const here = this.#state.ms?.pools.filter(
      ({ ranks, nvmeBytes }) => nvmeBytes > 0 && ranks.includes(this.#rank ?? -1),
    );
    const tgtIds = Array.from({ length: this.#options.targets }, (_, target) => target);
    return {
      pools: (here ?? []).map(({ uuid }, pool) => ({
        uuid,
        tgtIds,
        blobs: tgtIds.map((target) => BigInt(pool * this.#options.targets + target + 1)),
      })),
    };
  }

  /** The targets are distributed over the devices in turn. */
  #targetsOf(device: number): number[] {
    const targets = Array.from({ length: this.#options.targets }, (_, target) => target);
    return targets.filter((target) => target % this.#state.devices.length === device);
  }

  /** Runs a request on the management service if this engine has a started and leading replica. */
  #onLeader<T>(
    request: (ms: ManagementService) => MsChange<T | { status: number }>,
  ): Promise<T | { status: number }> {
    return this.#options.store.update<T | { status: number }>((state): Change<T | { status: number }> => {
      if (state.ms === undefined || !this.#started) return { state, answer: { status: STATUS.NOTREPLICA } };
      if (!state.ms.leads) return { state, answer: { status: STATUS.NOTLEADER } };
      const { ms = state.ms, answer } = request(state.ms);
      return { state: ms === state.ms ? state : { ...state, ms }, answer };
    });
  }
}

function statusOnly(status: number): BoundMethod {
  return handle(drpcMethods.startMs, () => ({ status }));
}

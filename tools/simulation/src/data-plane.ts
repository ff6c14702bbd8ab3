import { daosStatusNumber } from "@daos/fault";
import { NIL_RANK } from "@daos/rank";

/** An engine's join request in the data plane. */
export interface EngineJoin {
  readonly uuid: string;
  readonly rank: number;
  readonly uri: string;
  readonly addr: string;
}

/** The data plane's view of an engine's process. */
interface DataPlaneProcess {
  readonly hung: boolean;
  hasGroupMap: boolean;
}

/** The data plane's view of a machine. */
export interface DataPlaneHost {
  readonly index: number;
  readonly address: { readonly host: string };
  readonly disks: readonly { readonly superblock: { readonly uuid: string } | undefined }[];
  readonly server:
    | { readonly engines: readonly { readonly process: DataPlaneProcess | undefined }[] }
    | undefined;
}

/** The network between the engines. */
interface DataPlaneNetwork {
  lastAt(address: string): DataPlaneHost | undefined;
  reaches(from: string, to: string): boolean;
}

/** The fields of a pool request that the simulation uses. */
interface PoolRequest {
  readonly uuid: string;
}

const STATUS = {
  notLeader: daosStatusNumber("NOTLEADER"),
  exists: daosStatusNumber("EXIST"),
  protocol: daosStatusNumber("PROTO"),
};

/**
 * The management service of the engines, replicated on the access points. It keeps the system map, and answers joins like the
 * engine. Each process that joins gets the group map, also after a restart. It works while a majority of its replicas run and
 * are connected. The first of these leads.
 *
 * @see DAOS 0.8.0 src/mgmt/srv_system.c ds_mgmt_join_handler
 */
export class DataPlane {
  readonly #network: DataPlaneNetwork;
  readonly #created = new Set<DataPlaneHost>();
  readonly #running = new Set<DataPlaneHost>();
  readonly #servers = new Map<string, EngineJoin>();
  readonly #taken = new Set<number>();
  readonly #pools = new Set<string>();

  constructor(network: DataPlaneNetwork) {
    this.#network = network;
  }

  /** Creates a replica on a host. The first one has its own rank. */
  create(host: DataPlaneHost, own: EngineJoin, bootstrap: boolean): number {
    if (this.#created.has(host)) return daosStatusNumber("EXIST");
    this.#created.add(host);
    if (bootstrap) this.#record(own);
    return 0;
  }

  started(host: DataPlaneHost): void {
    this.#running.add(host);
    // The only replica leads. It reads the group map from its own storage.
    const process = host.server?.engines[0]?.process;
    if (this.#created.size === 1 && process !== undefined) process.hasGroupMap = true;
  }

  ended(host: DataPlaneHost): void {
    this.#running.delete(host);
  }

  /** @param at the host whose engine gets the request */
  join(at: DataPlaneHost, request: EngineJoin): { readonly status: number; readonly rank: number } {
    const refuse = (status: number) => ({ status, rank: NIL_RANK });
    if (this.#leaderSeenFrom(at) !== at) return refuse(STATUS.notLeader);
    const known = this.#servers.get(request.uuid);
    if (known !== undefined) {
      if (request.rank !== NIL_RANK && request.rank !== known.rank) return refuse(STATUS.protocol);
      this.#record({ ...request, rank: known.rank });
      return { status: 0, rank: known.rank };
    }
    if (request.rank !== NIL_RANK && this.#taken.has(request.rank)) return refuse(STATUS.exists);
    const rank = request.rank === NIL_RANK ? this.#lowestFree() : request.rank;
    this.#record({ ...request, rank });
    return { status: 0, rank };
  }

  listPools(): readonly string[] {
    return [...this.#pools];
  }

  /** The answer of a host's engine to a pool call. */
  createPool(
    at: DataPlaneHost,
    { uuid }: PoolRequest,
  ): { readonly status: number; readonly svcreps: number[] } {
    if (this.#leaderSeenFrom(at) !== at) return { status: STATUS.notLeader, svcreps: [] };
    if (this.#pools.has(uuid)) return { status: STATUS.exists, svcreps: [] };
    this.#pools.add(uuid);
    return { status: 0, svcreps: [0] };
  }

  /** Destroying a pool that does not exist succeeds. */
  destroyPool(at: DataPlaneHost, { uuid }: PoolRequest): { readonly status: number } {
    if (this.#leaderSeenFrom(at) !== at) return { status: STATUS.notLeader };
    this.#pools.delete(uuid);
    return { status: 0 };
  }

  poolsAt(at: DataPlaneHost) {
    if (this.#leaderSeenFrom(at) !== at) return { status: STATUS.notLeader, pools: [] };
    return { status: 0, pools: this.listPools().map((uuid) => ({ uuid, svcreps: [0] })) };
  }

  #record(server: EngineJoin): void {
    this.#servers.set(server.uuid, server);
    this.#taken.add(server.rank);
    const process = this.#processOf(server);
    if (process !== undefined) process.hasGroupMap = true;
  }

  /**
   * The process of a join request. A process that was started later must join again. It is found by its fabric address, which
   * does not change when the control address changes during a join.
   */
  #processOf({ uuid, addr }: EngineJoin): DataPlaneProcess | undefined {
    const host = this.#network.lastAt(addr.split(":")[0] ?? "");
    const index = host?.disks.findIndex(({ superblock }) => superblock?.uuid === uuid) ?? -1;
    return host?.server?.engines[index]?.process;
  }

  #lowestFree(): number {
    let rank = 0;
    while (this.#taken.has(rank)) rank++;
    return rank;
  }

  #leaderSeenFrom(at: DataPlaneHost): DataPlaneHost | undefined {
    const near = [...this.#running].filter(
      (host) =>
        this.#created.has(host) &&
        host.server?.engines[0]?.process?.hung === false &&
        this.#network.reaches(at.address.host, host.address.host),
    );
    if (near.length * 2 <= this.#created.size) return undefined;
    return near.toSorted((a, b) => a.index - b.index)[0];
  }
}

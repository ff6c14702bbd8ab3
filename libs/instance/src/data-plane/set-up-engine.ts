import { daosStatusNumber, faultDaosStatus } from "@daos/fault";
import { NIL_RANK, type Rank } from "@daos/rank";
import type { Superblock } from "@daos/superblock";
import { type Clock, systemClock } from "@daos/sys";

/** The content of an engine's NotifyReady call. */
export interface EngineReady {
  /** Fabric address. */
  readonly uri: string;
  /** Fabric contexts. */
  readonly contexts: number;
  /** Path of the engine's own dRPC socket. */
  readonly socket: string;
}

/** An engine's request to become, or to be again, a member of the system. */
export interface JoinRequest {
  readonly uuid: string;
  /** `NIL_RANK` for any. */
  readonly rank: Rank;
  readonly uri: string;
  readonly contexts: number;
  /** The data plane knows the rank already, which is the replica's own: the system only records it. */
  readonly recorded: boolean;
}

/** The result of an engine's join. */
export interface JoinResult {
  readonly rank: Rank;
  /** How often the engine has joined; 0 when the leader does not report it. */
  readonly incarnation: number;
}

/** The ports that setting up an engine needs. */
export interface SetUpPorts {
  /** Joins the system through its leader, for as long as that takes. @throws Fault when the system refuses it */
  join(request: JoinRequest, options: { readonly signal: AbortSignal }): Promise<Rank>;
  /** The four calls into the engine; each answers with a DAOS status. */
  setRank(rank: Rank, options: { readonly signal: AbortSignal }): Promise<number>;
  createMs(
    request: { readonly bootstrap: boolean; readonly uuid: string; readonly address: string },
    options: { readonly signal: AbortSignal },
  ): Promise<number>;
  startMs(options: { readonly signal: AbortSignal }): Promise<number>;
  setUp(options: { readonly signal: AbortSignal }): Promise<number>;
  /** Makes a change of the superblock durable. */
  writeSuperblock(superblock: Superblock): Promise<void>;
}

export interface SetUpOptions {
  /** `host:port` of this host as an access point. */
  readonly msAddress: string;
  readonly signal: AbortSignal;
  readonly clock?: Clock | undefined;
}

const CREATED_BEFORE = [daosStatusNumber("EXIST"), daosStatusNumber("ALREADY")];
/** Time limit of one call into the engine, ms. A join has no limit here: its port decides which refusals are final. */
const CALL_TIMEOUT_MS = 120_000;

/** An engine that is set up. */
export interface SetUpResult {
  readonly rank: Rank;
  readonly superblock: Superblock;
}

/**
 * Takes a ready engine into service: join (unless its superblock has both a valid rank and the MS), rank, MS replica
 * (created on the first start only), modules.
 *
 * @throws Fault of the step that failed
 * @see DAOS 0.8.0 src/control/server/instance.go SetRank, StartManagementService, LoadModules
 */
export async function setUpEngine(
  ready: EngineReady,
  superblock: Superblock,
  ports: SetUpPorts,
  options: SetUpOptions,
): Promise<SetUpResult> {
  const { signal, clock = systemClock } = options;
  let current = superblock;
  const update = async (next: Superblock) => {
    await ports.writeSuperblock(next);
    current = next;
  };

  let rank = current.rank ?? NIL_RANK;
  const { uri, contexts } = ready;
  const { uuid } = current;
  const recorded = current.validRank && current.ms;
  if (!recorded) {
    rank = await ports.join({ uuid, rank, uri, contexts, recorded }, { signal });
    if (!current.validRank || current.rank !== rank) await update({ ...current, rank, validRank: true });
  }
  const step = async (
    attempted: string,
    call: (wait: { readonly signal: AbortSignal }) => Promise<number>,
    accepted: readonly number[] = [],
  ) => {
    using limit = clock.deadline(CALL_TIMEOUT_MS, attempted, signal);
    const status = await call(limit);
    if (status !== 0 && !accepted.includes(status)) throw faultDaosStatus(attempted, status);
  };

  await step(`set rank ${rank}`, (wait) => ports.setRank(rank, wait));
  if (current.ms) {
    if (current.createMs) {
      const { bootstrapMs: bootstrap } = current;
      const request = { bootstrap, uuid, address: options.msAddress };
      // The server may have died after the engine had created it, before the superblock said so.
      await step(
        "create the management service replica",
        (wait) => ports.createMs(request, wait),
        CREATED_BEFORE,
      );
      await update({ ...current, createMs: false, bootstrapMs: false });
    }
    await step("start the management service replica", ports.startMs);
  }
  await step("load the engine's modules", ports.setUp);
  // A replica is in the system map without a join. This join reports it to the management service.
  if (recorded) await ports.join({ uuid, rank, uri, contexts, recorded }, { signal });
  return { rank, superblock: current };
}

import { randomUUID } from "node:crypto";
import type { Rank } from "@daos/rank";

/** What makes an engine's storage part of a system. @see DAOS 0.8.0 src/control/server/superblock.go */
export interface Superblock {
  readonly version: 0;
  /** Of the engine, for as long as its storage lives. */
  readonly uuid: string;
  /** Name of the system. */
  readonly system: string;
  /** `undefined` until it is known. */
  readonly rank?: Rank | undefined;
  /** The rank is the engine's own and need not be asked for. */
  readonly validRank: boolean;
  /** The engine is a replica of the management service. */
  readonly ms: boolean;
  /** The replica is still to be created. */
  readonly createMs: boolean;
  /** The replica is to be created as the first of its service. */
  readonly bootstrapMs: boolean;
}

/** What a new superblock is made for. */
export interface CreateSuperblockOptions {
  readonly system: string;
  /** The configured rank. */
  readonly rank?: Rank | undefined;
  /** `bootstrap`: engine 0 of the first access point. `replica`: engine 0 of another one. `none`: every other engine. */
  readonly replica: "bootstrap" | "replica" | "none";
}

/** A superblock for storage that has none yet, with a new uuid. */
export function createSuperblock(options: CreateSuperblockOptions): Superblock {
  const { system, rank, replica } = options;
  const bootstrap = replica === "bootstrap";
  return {
    version: 0,
    uuid: randomUUID(),
    system,
    rank: rank ?? (bootstrap ? (0 as Rank) : undefined),
    validRank: bootstrap,
    ms: replica !== "none",
    createMs: replica !== "none",
    bootstrapMs: bootstrap,
  };
}

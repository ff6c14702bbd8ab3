import { randomUUID } from "node:crypto";
import type { Rank } from "@daos/rank";

/** The record that makes an engine's storage part of a system. @see DAOS 0.8.0 src/control/server/superblock.go */
export interface Superblock {
  readonly version: 0;
  /** The identity of the engine; valid until its storage is formatted. */
  readonly uuid: string;
  /** Name of the system. */
  readonly system: string;
  /** `undefined` until it is known. */
  readonly rank?: Rank | undefined;
  /** The rank is valid and need not be requested. */
  readonly validRank: boolean;
  /** The engine is a replica of the management service. */
  readonly ms: boolean;
  /** The replica is still to be created. */
  readonly createMs: boolean;
  /** The replica is to be created as the first of its service. */
  readonly bootstrapMs: boolean;
}

/** Settings of a new superblock. */
export interface CreateSuperblockOptions {
  readonly system: string;
  /** The configured rank. */
  readonly rank?: Rank | undefined;
  /** `bootstrap`: engine 0 of the first access point. `replica`: engine 0 of another one. `none`: every other engine. */
  readonly replica: "bootstrap" | "replica" | "none";
}

/** Creates a superblock with a new uuid for storage that has none. */
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

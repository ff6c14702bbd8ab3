import type { Peer } from "./peer.ts";
import type { Role } from "./role.ts";

/** The owner of a share of the budget: the peers of a role, or those in plain text. */
export type BudgetShare = Role | "insecure";

const MIB = 1024 * 1024;

/**
 * Maximum memory of unfinished requests, bytes. Each role has its own share, so that requests of agents never block
 * those of an administrator.
 */
export const RECEIVE_SHARES: Readonly<Record<BudgetShare, number>> = {
  agent: 4 * MIB,
  server: 32 * MIB,
  admin: 32 * MIB,
  insecure: 32 * MIB,
};

/**
 * The cost of a request before its first byte, bytes: about the size of its stream and handler, which is more than its
 * body.
 */
export const REQUEST_COST = 8 * 1024;

/** Counts the bytes of all requests of a server that have begun and not ended. */
export class ReceiveBudget {
  readonly #shares: Readonly<Record<BudgetShare, number>>;
  readonly #used: Record<BudgetShare, number> = { agent: 0, server: 0, admin: 0, insecure: 0 };
  readonly #most: Record<BudgetShare, number> = { agent: 0, server: 0, admin: 0, insecure: 0 };
  #refusals = 0;

  constructor(shares: Readonly<Record<BudgetShare, number>> = RECEIVE_SHARES) {
    this.#shares = shares;
  }

  /** Takes bytes of a share. @returns false, with nothing taken, when fewer bytes are left */
  take(share: BudgetShare, bytes: number): boolean {
    if (this.#used[share] + bytes > this.#shares[share]) {
      this.#refusals++;
      return false;
    }
    this.#used[share] += bytes;
    this.#most[share] = Math.max(this.#most[share], this.#used[share]);
    return true;
  }

  give(share: BudgetShare, bytes: number): void {
    this.#used[share] -= bytes;
  }

  /** All bytes of a share. */
  limit(share: BudgetShare): number {
    return this.#shares[share];
  }

  /** The bytes of a share that are taken. */
  used(share: BudgetShare): number {
    return this.#used[share];
  }

  /** The highest number of bytes ever taken of a share. */
  most(share: BudgetShare): number {
    return this.#most[share];
  }

  /** How often too few bytes were left. */
  get refusals(): number {
    return this.#refusals;
  }
}

export function shareOf(peer: Peer): BudgetShare {
  return peer.kind === "insecure" ? "insecure" : peer.role;
}

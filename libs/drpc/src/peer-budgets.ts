import { getuid } from "node:process";
import type { PeerCredentials } from "./native.ts";

/**
 * The limits of one peer of a server. A peer is a process of root or of the server's own user; otherwise all processes
 * of one user.
 */
export interface PeerLimits {
  readonly sessions: number;
  /** Calls at once, after a pause. */
  readonly messages: number;
  readonly messagesPerSecond: number;
  /** Bytes at once, after a pause. */
  readonly bytes: number;
  readonly bytesPerSecond: number;
}

const MIB = 1024 * 1024;

/** An engine that checks the credential of every client of a starting job stays well below them. */
export const DEFAULT_PEER_LIMITS: PeerLimits = {
  sessions: 64,
  messages: 10_000,
  messagesPerSecond: 5_000,
  bytes: 16 * MIB,
  bytesPerSecond: 8 * MIB,
};

interface PeerUse {
  sessions: number;
  /** When the peer's budget is full again, ms. */
  messagesFullAt: number;
  bytesFullAt: number;
}

/** The part of a budget that one session draws on. */
export interface PeerBudget {
  /** Counts a packet that has been read. @returns how long not to read from the peer now, ms; 0 for not at all */
  take(bytes: number): number;
  /** The session has ended. */
  leave(): void;
}

/**
 * The budgets of a server's peers. A new connection does not reset the used part of a budget. User ids come from the
 * kernel. The processes of another user share one budget, because a process can start any number of others.
 */
export class PeerBudgets {
  readonly #limits: PeerLimits;
  readonly #now: () => number;
  readonly #peers = new Map<string, PeerUse>();

  /** @param now milliseconds of a clock that never goes back */
  constructor(limits: PeerLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  /** @returns undefined when the peer has the maximum number of sessions */
  enter(peer: PeerCredentials): PeerBudget | undefined {
    this.#forget();
    const key = keyOf(peer);
    const use = this.#peers.get(key) ?? { sessions: 0, messagesFullAt: 0, bytesFullAt: 0 };
    if (use.sessions >= this.#limits.sessions) return undefined;
    use.sessions++;
    this.#peers.set(key, use);
    return { take: (bytes) => this.#take(use, bytes), leave: () => void use.sessions-- };
  }

  #take(use: PeerUse, size: number): number {
    const { messages, messagesPerSecond, bytes, bytesPerSecond } = this.#limits;
    const now = this.#now();
    use.messagesFullAt = Math.max(use.messagesFullAt, now) + 1000 / messagesPerSecond;
    use.bytesFullAt = Math.max(use.bytesFullAt, now) + (size * 1000) / bytesPerSecond;
    const waitMs = Math.max(
      0,
      use.messagesFullAt - now - (messages * 1000) / messagesPerSecond,
      use.bytesFullAt - now - (bytes * 1000) / bytesPerSecond,
    );
    return Math.round(waitMs);
  }

  /** A peer without a session and with a full budget can be forgotten. */
  #forget(): void {
    const now = this.#now();
    for (const [key, { sessions, messagesFullAt, bytesFullAt }] of this.#peers) {
      if (sessions === 0 && Math.max(messagesFullAt, bytesFullAt) <= now) this.#peers.delete(key);
    }
  }
}

/** The server's user starts the engines, and root may do anything: each of their processes has its own budget. */
function keyOf({ uid, pid }: PeerCredentials): string {
  return uid === 0 || uid === getuid?.() ? `process ${pid}` : `user ${uid}`;
}

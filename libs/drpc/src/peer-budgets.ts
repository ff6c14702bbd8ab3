import { getuid } from "node:process";
import type { PeerCredentials } from "./native.ts";

/** What one peer may use of a server: a process of root's or of the server's own user, else all processes of a user. */
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
  /** When the peer may again send all that it may send at once, ms. */
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
 * The budgets of a server's peers. What a peer has used stays used when it connects anew. User ids are the kernel's word; a
 * process of another user can make any number of processes, so these share one budget.
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

  /** @returns undefined when the peer has as many sessions as it may */
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

  /** Peers without a session that may send everything at once again are as good as new. */
  #forget(): void {
    const now = this.#now();
    for (const [key, { sessions, messagesFullAt, bytesFullAt }] of this.#peers) {
      if (sessions === 0 && Math.max(messagesFullAt, bytesFullAt) <= now) this.#peers.delete(key);
    }
  }
}

/** The server's user starts the engines, and root may do anything: their processes are told apart. */
function keyOf({ uid, pid }: PeerCredentials): string {
  return uid === 0 || uid === getuid?.() ? `process ${pid}` : `user ${uid}`;
}

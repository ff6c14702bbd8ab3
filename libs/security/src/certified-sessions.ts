import type { ServerHttp2Session } from "node:http2";
import { setImmediate } from "node:timers/promises";
import { type Fault, FaultCode } from "@daos/fault";
import type { Peer } from "./peer.ts";

type CertifiedPeer = Extract<Peer, { readonly kind: "certificate" }>;

export interface CertifiedSessionsOptions {
  /** Returns the fault of a peer's certificate now; undefined when it is good. */
  readonly verify: (peer: CertifiedPeer) => Fault | undefined;
  readonly now: () => Date;
  /** Called after a session was ended. */
  readonly onEnded: (peer: CertifiedPeer, fault: Fault) => void;
}

/** Number of certificates that are checked before other work gets a turn. */
const AT_ONCE = 64;

/**
 * The sessions of clients with certificates. Sessions end when their certificate expires, and all are checked again
 * when the trusted authorities change.
 */
export class CertifiedSessions {
  readonly #options: CertifiedSessionsOptions;
  readonly #sessions = new Map<
    ServerHttp2Session,
    { readonly peer: CertifiedPeer; readonly endsAt: number }
  >();

  constructor(options: CertifiedSessionsOptions) {
    this.#options = options;
  }

  add(session: ServerHttp2Session, peer: CertifiedPeer): void {
    this.#sessions.set(session, { peer, endsAt: peer.certificate.validToDate.getTime() });
    session.once("close", () => this.#sessions.delete(session));
  }

  /** Checks every session; sessions of certificates that are no longer accepted end. */
  async checkAll(): Promise<void> {
    let checked = 0;
    for (const [session, { peer }] of [...this.#sessions]) {
      this.#check(session, peer);
      if (++checked % AT_ONCE === 0) await setImmediate();
    }
  }

  /** Ends the sessions whose certificate has expired. It is cheap, for frequent calls. */
  endExpired(): void {
    const now = this.#options.now().getTime();
    for (const [session, { peer, endsAt }] of this.#sessions) if (endsAt < now) this.#check(session, peer);
  }

  #check(session: ServerHttp2Session, peer: CertifiedPeer): void {
    if (session.closed) return;
    const fault = this.#options.verify(peer);
    if (fault === undefined) return;
    this.#options.onEnded(peer, fault);
    // Running calls of an expired certificate may finish; those of a client that is no longer trusted may not.
    if (fault.code === FaultCode.certificateExpired) session.close();
    else session.destroy();
  }
}

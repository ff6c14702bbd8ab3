import type { ServerHttp2Session } from "node:http2";
import { setImmediate } from "node:timers/promises";
import { type Fault, FaultCode } from "@daos/fault";
import type { Peer } from "./peer.ts";

type CertifiedPeer = Extract<Peer, { readonly kind: "certificate" }>;

export interface CertifiedSessionsOptions {
  /** What is wrong with the certificate of a peer now; undefined when nothing is. */
  readonly judge: (peer: CertifiedPeer) => Fault | undefined;
  readonly now: () => Date;
  /** A session has been ended. */
  readonly onEnded: (peer: CertifiedPeer, fault: Fault) => void;
}

/** So many certificates are judged before other work gets a turn. */
const AT_ONCE = 64;

/**
 * The sessions of clients with certificates. A certificate is good for no longer than it says: its sessions end with it, and
 * all are judged again when what the server trusts has changed.
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

  /** Judges every session; those of certificates that are no longer accepted end. */
  async judgeAll(): Promise<void> {
    let judged = 0;
    for (const [session, { peer }] of [...this.#sessions]) {
      this.#judge(session, peer);
      if (++judged % AT_ONCE === 0) await setImmediate();
    }
  }

  /** Ends the sessions whose certificate has ended; costs little, to be called often. */
  endExpired(): void {
    const now = this.#options.now().getTime();
    for (const [session, { peer, endsAt }] of this.#sessions) if (endsAt < now) this.#judge(session, peer);
  }

  #judge(session: ServerHttp2Session, peer: CertifiedPeer): void {
    if (session.closed) return;
    const fault = this.#options.judge(peer);
    if (fault === undefined) return;
    this.#options.onEnded(peer, fault);
    // The calls of an expired certificate may end; whoever is not trusted any more may do nothing.
    if (fault.code === FaultCode.certificateExpired) session.close();
    else session.destroy();
  }
}

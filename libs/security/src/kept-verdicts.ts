import type { X509Certificate } from "node:crypto";
import { type PeerVerdict, type VerifyPeerOptions, verifyPeer } from "./verify-peer.ts";

/** How long a verdict is valid, ms. */
const KEEP_MS = 5_000;
/** Maximum number of verdicts that are kept. */
const MAX_KEPT = 4_096;

interface Kept {
  readonly verdict: PeerVerdict;
  readonly from: number;
  readonly until: number;
}

/**
 * Cached verdicts on client certificates. An accepted certificate is accepted again for a few seconds, by its
 * fingerprint: checking the signature for each connection would be a tenth of its cost. Refusals are not cached. All
 * verdicts are dropped when the authorities or the revocation lists change, and each ends with the dates of its
 * certificate and of the authorities.
 */
export class KeptVerdicts {
  readonly #kept = new Map<string, Kept>();
  #authorities: VerifyPeerOptions["authorities"] | undefined;
  #revocations: VerifyPeerOptions["revocations"];

  /** As {@link verifyPeer}. */
  verify(certificate: X509Certificate | undefined, options: VerifyPeerOptions): PeerVerdict {
    const { authorities, revocations } = options;
    if (authorities !== this.#authorities || revocations !== this.#revocations) this.#kept.clear();
    this.#authorities = authorities;
    this.#revocations = revocations;
    const now = options.now.getTime();
    const fingerprint = certificate?.fingerprint256 ?? "";
    const kept = this.#kept.get(fingerprint);
    if (kept !== undefined && kept.from <= now && now <= kept.until) return kept.verdict;
    this.#kept.delete(fingerprint);
    const verdict = verifyPeer(certificate, options);
    if (verdict.kind === "accepted") {
      if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
      const ends = [verdict.certificate, ...authorities].map(({ validToDate }) => validToDate.getTime());
      this.#kept.set(fingerprint, { verdict, from: now, until: Math.min(now + KEEP_MS, ...ends) });
    }
    return verdict;
  }
}

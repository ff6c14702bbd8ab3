import { toFault } from "@daos/fault";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import type { Logger } from "@daos/log";
import type { Clock } from "@daos/sys";
import type { Member } from "./member.ts";
import type { Membership } from "./membership.ts";

/** A host may miss this many reports, and always this much time, ms, before it counts as silent. */
const MISSED_REPORTS = 3;
const LEAST_SILENCE_MS = 10_000;
const CHECK_MS = 1_000;

/** When each host was last heard of, on the leader. A new leader gives every host the time to find it. */
export class HostSilence {
  readonly #clock: Clock;
  readonly #begun: number;
  readonly #allowed = new Map<string, { readonly heard: number; readonly allowedMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#begun = clock.now();
  }

  /** A host has reported, and will again after `intervalMs`. */
  heard(host: HostAddress, intervalMs: number): void {
    const allowedMs = Math.max(LEAST_SILENCE_MS, intervalMs * MISSED_REPORTS);
    this.#allowed.set(formatHostAddress(host), { heard: this.#clock.now(), allowedMs });
  }

  /** How long a host has been silent, ms, when that is too long. */
  tooLong(host: HostAddress): number | undefined {
    const known = this.#allowed.get(formatHostAddress(host));
    const { heard, allowedMs } = known ?? { heard: this.#begun, allowedMs: LEAST_SILENCE_MS * 2 };
    const silent = this.#clock.now() - heard;
    return silent > allowedMs ? silent : undefined;
  }
}

/** Marks the members of hosts that have become silent as unresponsive, until `signal` aborts. @throws its reason */
export async function watchHosts(
  membership: Membership,
  silence: HostSilence,
  options: { readonly clock: Clock; readonly log: Logger; readonly signal: AbortSignal },
): Promise<never> {
  const { clock, log, signal } = options;
  for (;;) {
    await clock.delay(CHECK_MS, { signal });
    const silent = membership.list().filter((member) => maySay(member) && silence.tooLong(member.address));
    for (const members of Map.groupBy(silent, ({ address }) => formatHostAddress(address)).values()) {
      const [first] = members;
      if (first === undefined) continue;
      const seconds = Math.round((silence.tooLong(first.address) ?? 0) / 1000);
      const reason = `nothing heard of ${formatHostAddress(first.address)} for ${seconds} s`;
      const uuids = members.map(({ uuid }) => uuid);
      try {
        await membership.setState(uuids, { state: "unresponsive", reason });
      } catch (error) {
        signal.throwIfAborted();
        log.error("a silent host cannot be recorded", { reason, fault: toFault(error) });
      }
    }
  }
}

/** A stopped or excluded member has no need to be heard of, and one of release 0.8.0 never is. */
function maySay({ state, reports }: Member): boolean {
  return (
    reports && (state === "joining" || state === "joined" || state === "stopping" || state === "errored")
  );
}

import { toFault } from "@daos/fault";
import { formatHostAddress, type HostAddress, sameAddress } from "@daos/hostlist";
import { type Logger, limitRepeats } from "@daos/log";
import type { Member } from "@daos/member-store";
import type { Clock } from "@daos/sys";
import type { Membership } from "./membership.ts";

/** A host may miss this many of its reports, at least, before it is overdue. */
const MAX_MISSED_REPORTS = 3;
const DEFAULT_OVERDUE_AFTER_MS = 15_000;
const DEFAULT_REPORT_INTERVAL_MS = 5_000;
const CHECK_MS = 1_000;

export interface FailureDetectorOptions {
  /** `overdue_after` of the configuration, ms; 15,000 by default. */
  readonly overdueAfterMs?: number | undefined;
  /** `report_interval` of the configuration, ms; 5,000 by default. */
  readonly reportIntervalMs?: number | undefined;
  readonly clock: Clock;
}

/** When a member was last reported. */
interface LastSeen {
  readonly at: number;
  /** As `at`, from its recorded address. */
  readonly atHome: number;
  readonly overdueAfterMs: number;
  /** The member's incarnation at that time. */
  readonly incarnation: number;
}

/**
 * When each member was last seen, on the leader: by its uuid, whatever address the report came from. A member that has just
 * joined gets one report interval more, in which its host finds the leader; so does every member when a new leader begins.
 */
export class FailureDetector {
  readonly #clock: Clock;
  readonly #overdueAfterMs: number;
  readonly #graceMs: number;
  readonly #lastSeen = new Map<string, LastSeen>();

  constructor({
    overdueAfterMs = DEFAULT_OVERDUE_AFTER_MS,
    reportIntervalMs = DEFAULT_REPORT_INTERVAL_MS,
    clock,
  }: FailureDetectorOptions) {
    this.#clock = clock;
    this.#overdueAfterMs = overdueAfterMs;
    this.#graceMs = overdueAfterMs + reportIntervalMs;
  }

  /** Notes that a host has reported these members, and that its next report follows within `intervalMs`. */
  reported(
    host: HostAddress,
    members: readonly Pick<Member, "address" | "uuid">[],
    intervalMs: number,
  ): void {
    const overdueAfterMs = Math.max(this.#overdueAfterMs, intervalMs * MAX_MISSED_REPORTS);
    const at = this.#clock.now();
    for (const { uuid, address } of members) {
      const before = this.#lastSeen.get(uuid);
      const atHome = sameAddress(address, host) ? at : (before?.atHome ?? at);
      this.#lastSeen.set(uuid, { at, atHome, overdueAfterMs, incarnation: before?.incarnation ?? 0 });
    }
  }

  /** Time since a member was last reported from its recorded address, ms, when it has been from another one since; otherwise 0. */
  elsewhereFor({ uuid }: Pick<Member, "uuid">): number {
    const lastSeen = this.#lastSeen.get(uuid);
    return lastSeen === undefined || lastSeen.at === lastSeen.atHome
      ? 0
      : this.#clock.now() - lastSeen.atHome;
  }

  /** Time since a member was last seen, ms, when its report is overdue; otherwise undefined. */
  overdueFor({ uuid, incarnation }: Pick<Member, "uuid" | "incarnation">): number | undefined {
    const lastSeen = this.#lastSeen.get(uuid);
    if (lastSeen === undefined || lastSeen.incarnation !== incarnation) {
      const overdueAfterMs = Math.max(lastSeen?.overdueAfterMs ?? 0, this.#graceMs);
      const at = this.#clock.now();
      this.#lastSeen.set(uuid, { at, atHome: at, overdueAfterMs, incarnation });
      return undefined;
    }
    const sinceMs = this.#clock.now() - lastSeen.at;
    return sinceMs > lastSeen.overdueAfterMs ? sinceMs : undefined;
  }

  isOverdue(member: Pick<Member, "uuid" | "incarnation">): boolean {
    return this.overdueFor(member) !== undefined;
  }
}

/** Marks the members of hosts whose report is overdue as unresponsive, until `signal` aborts. @throws its reason */
export async function watchHosts(
  membership: Membership,
  failureDetector: FailureDetector,
  options: { readonly clock: Clock; readonly log: Logger; readonly signal: AbortSignal },
): Promise<never> {
  const { clock, signal } = options;
  const quiet = limitRepeats(options.log);
  for (;;) {
    await clock.delay(CHECK_MS, { signal });
    const overdue = membership
      .list()
      .filter((member) => mustReport(member) && failureDetector.isOverdue(member));
    const hosts = Map.groupBy(overdue, ({ address }) => formatHostAddress(address));
    // All at once: when a switch fails, many hosts are overdue, and one commit records them all.
    await Promise.all(
      [...hosts].map(async ([host, members]) => {
        const [first] = members;
        const seconds = Math.round(
          (first === undefined ? 0 : (failureDetector.overdueFor(first) ?? 0)) / 1000,
        );
        const reason = `no report from ${host} for ${seconds} s`;
        const uuids = members.map(({ uuid }) => uuid);
        try {
          await membership.setState(uuids, { state: "unresponsive", reason });
        } catch (error) {
          signal.throwIfAborted();
          quiet.error("an unresponsive host cannot be recorded", { reason, fault: toFault(error) });
        }
      }),
    );
  }
}

/** A stopped, excluded or replaced member need not report, and a server of release 0.8.0 never does. */
function mustReport({ state, reports }: Member): boolean {
  return (
    reports && (state === "joining" || state === "joined" || state === "stopping" || state === "errored")
  );
}

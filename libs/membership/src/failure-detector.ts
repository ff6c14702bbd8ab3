import { toFault } from "@daos/fault";
import { formatHostAddress, type HostAddress } from "@daos/hostlist";
import type { Logger } from "@daos/log";
import type { Member } from "@daos/member-store";
import type { Clock } from "@daos/sys";
import type { Membership } from "./membership.ts";

/** A host may miss this many reports, and always this much time, ms, before it counts as silent. */
const MISSED_REPORTS = 3;
const MIN_SILENCE_MS = 10_000;
const CHECK_MS = 1_000;

/** When something was last said of a member, by the host that it is on. */
interface Heard {
  readonly at: number;
  readonly allowedMs: number;
  /** Of the join that the member has had then. */
  readonly incarnation: number;
}

/**
 * When each member was last heard of, on the leader. A host speaks for the engines that it names, and for no others: its
 * address may have been that of another host before, and its storage may be new. A member that has just joined, and with a
 * new leader every member, gets the time that its host needs to find the leader.
 */
export class FailureDetector {
  readonly #clock: Clock;
  readonly #heard = new Map<string, Heard>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A host has said how these engines are, and will again after `intervalMs`. */
  heard(host: HostAddress, uuids: readonly string[], intervalMs: number): void {
    const allowedMs = Math.max(MIN_SILENCE_MS, intervalMs * MISSED_REPORTS);
    for (const uuid of uuids) {
      const key = keyOf(host, uuid);
      const incarnation = this.#heard.get(key)?.incarnation ?? 0;
      this.#heard.set(key, { at: this.#clock.now(), allowedMs, incarnation });
    }
  }

  /** For how long nothing has been heard of a member, ms, when that is too long. */
  tooLong({
    address,
    uuid,
    incarnation,
  }: Pick<Member, "address" | "uuid" | "incarnation">): number | undefined {
    const key = keyOf(address, uuid);
    const known = this.#heard.get(key);
    if (known === undefined || known.incarnation !== incarnation) {
      const allowedMs = Math.max(known?.allowedMs ?? 0, MIN_SILENCE_MS * 2);
      this.#heard.set(key, { at: this.#clock.now(), allowedMs, incarnation });
      return undefined;
    }
    const silent = this.#clock.now() - known.at;
    return silent > known.allowedMs ? silent : undefined;
  }
}

const keyOf = (host: HostAddress, uuid: string) => `${uuid} ${formatHostAddress(host)}`;

/** Marks the members of hosts that have become silent as unresponsive, until `signal` aborts. @throws its reason */
export async function watchHosts(
  membership: Membership,
  silence: FailureDetector,
  options: { readonly clock: Clock; readonly log: Logger; readonly signal: AbortSignal },
): Promise<never> {
  const { clock, log, signal } = options;
  for (;;) {
    await clock.delay(CHECK_MS, { signal });
    const silent = membership
      .list()
      .filter((member) => maySay(member) && silence.tooLong(member) !== undefined);
    for (const members of Map.groupBy(silent, ({ address }) => formatHostAddress(address)).values()) {
      const [first] = members;
      if (first === undefined) continue;
      const seconds = Math.round((silence.tooLong(first) ?? 0) / 1000);
      const reason = `nothing heard of it from ${formatHostAddress(first.address)} for ${seconds} s`;
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

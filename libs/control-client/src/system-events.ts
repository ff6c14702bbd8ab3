import { Fault, FaultCode, retryClass } from "@daos/fault";
import type { ctl } from "@daos/proto";
import { BackOff, monotonicNow } from "@daos/sys";
import type { ControlClient } from "./control-client.ts";
import { faultServerTooOld, isUnimplemented } from "./unimplemented.ts";

/** An event of the system. */
export interface SystemEvent {
  /** Counts up, also over changes of the leader. */
  readonly number: number;
  readonly time: Date;
  /** `engine_died`, `leader_changed`. */
  readonly kind: string;
  readonly severity: string;
  readonly message: string;
  readonly rank: number | undefined;
  readonly uuid: string;
  /** The control address of the host; empty for an event without a host. */
  readonly address: string;
}

export interface SystemEventsRequest {
  /** Continues with new events until the client's signal aborts. */
  readonly follow: boolean;
  /** Only events that happened then or later. */
  readonly since?: Date | undefined;
  readonly onEvent: (event: SystemEvent) => void;
  /** Called when the leader is lost, before the search for another one. */
  readonly onLost?: (fault: Fault | undefined) => void;
  /** How long (milliseconds) to search without any answer before it fails; 5 minutes by default. */
  readonly searchTimeoutMs?: number;
}

const FOREVER_MS = 2 ** 31 - 1;
const PAUSES = { firstMs: 250, maxMs: 5_000 };
/** A stream that lasted this long (milliseconds) counts as healthy, even without events. */
const GOOD_STREAM_MS = 10_000;
/** How many events are remembered to avoid duplicates: more than a leader keeps. */
const MEMORY = 20_000;

/**
 * Yields the latest events, oldest first, and with `follow` new events. When the leader is lost it continues with the
 * next one, with growing pauses in between. Each event is yielded once. It ends when the client's signal aborts.
 *
 * @throws Fault
 */
export async function systemEvents(client: ControlClient, request: SystemEventsRequest): Promise<void> {
  const { follow, since, onEvent, onLost = () => {}, searchTimeoutMs = 5 * 60_000 } = request;
  const isNew = onlyOnce(MEMORY);
  const backOff = new BackOff(PAUSES);
  let lastGood = monotonicNow();
  for (;;) {
    const start = monotonicNow();
    const lost = await readEvents(client, { follow, since }, (event) => {
      backOff.reset();
      // A server of an earlier release sends all.
      if (since !== undefined && event.time < since) return;
      if (isNew(`${event.number} ${event.time.getTime()} ${event.kind}`)) onEvent(event);
    });
    if (follow && client.signal?.aborted) return;
    if (!follow && lost === undefined) return;
    if (lost !== undefined && (!follow || retryClass(lost) === "final")) throw lost;
    const now = monotonicNow();
    if (now - start > GOOD_STREAM_MS) backOff.reset();
    if (lost === undefined || wasConnected(lost)) {
      lastGood = now;
      onLost(lost);
    } else if (now - lastGood > searchTimeoutMs) {
      throw lost;
    }
    try {
      await backOff.wait({ signal: client.signal });
    } catch {
      return;
    }
  }
}

/** Reads the events of one leader to their end. @returns the failure, unless the leader ended the stream in order */
async function readEvents(
  client: ControlClient,
  { follow, since }: Pick<SystemEventsRequest, "follow" | "since">,
  onEvent: (event: SystemEvent) => void,
): Promise<Fault | undefined> {
  const attempted = follow ? "follow events" : "list events";
  try {
    await client.leader({
      attempted,
      timeoutMs: follow ? FOREVER_MS : 30_000,
      manyHosts: follow,
      call: async (connection, options) => {
        try {
          // Reads all events each time: a leader of an earlier release counts from 1.
          const from = BigInt(since === undefined ? 0 : Math.max(0, since.getTime()));
          for await (const message of connection.ctl.systemEvents(
            { follow, after: 0n, since: from },
            options,
          )) {
            onEvent(readEvent(message));
          }
        } catch (error) {
          if (!isUnimplemented(error)) throw error;
          throw faultServerTooOld("show events", "", connection, error);
        }
      },
    });
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}

/** True when the host was reached, but no longer leads. */
function wasConnected({ code }: Fault): boolean {
  const ends: readonly number[] = [FaultCode.connectionLost, FaultCode.leadershipLost, FaultCode.notLeader];
  return ends.includes(code);
}

function readEvent(message: ctl.SystemEvent): SystemEvent {
  return {
    number: Number(message.number),
    time: new Date(Number(message.time)),
    kind: message.kind,
    severity: message.severity,
    message: message.message,
    rank: message.rank,
    uuid: message.uuid,
    address: message.addr,
  };
}

/** Returns true once for each of the latest `size` keys. */
function onlyOnce(size: number): (key: string) => boolean {
  const seen = new Set<string>();
  return (key) => {
    if (seen.has(key)) return false;
    seen.add(key);
    if (seen.size > size) seen.delete(seen.values().next().value as string);
    return true;
  };
}

import { Fault, FaultCode, retryClass } from "@daos/fault";
import type { ctl } from "@daos/proto";
import { delay } from "@daos/sys";
import type { ControlClient } from "./control-client.ts";
import { faultServerTooOld, isUnimplemented } from "./unimplemented.ts";

/** Something that happened in the system. */
export interface SystemEvent {
  /** Counts up while one leader is in office. */
  readonly number: number;
  readonly time: Date;
  /** `engine_died`, `leader_changed`. */
  readonly kind: string;
  readonly severity: string;
  readonly message: string;
  readonly rank: number | undefined;
  readonly uuid: string;
  /** The control address of its host; empty for what is about no host. */
  readonly address: string;
}

export interface SystemEventsRequest {
  /** Goes on with what happens, until the client's signal ends it. */
  readonly follow: boolean;
  readonly onEvent: (event: SystemEvent) => void;
  /** Told of a leader that is lost, before another one is looked for. */
  readonly onLost?: (fault: Fault | undefined) => void;
  /** How long (milliseconds) nobody may answer before it is given up; 5 minutes unless told. */
  readonly patienceMs?: number;
}

const FOREVER_MS = 2 ** 31 - 1;
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 5_000;
/** A stream that lasted so long (milliseconds) has been a good one, though nothing may have happened. */
const GOOD_STREAM_MS = 10_000;
/** How many events are remembered, so that none is told twice: more than a leader keeps. */
const MEMORY = 20_000;

/**
 * Tells the latest events, oldest first, and with `follow` those that happen. When the leader is lost it goes on with the
 * next one, with growing pauses in between. Each event is told once. It resolves when the client's signal aborts.
 *
 * @throws Fault
 */
export async function systemEvents(client: ControlClient, request: SystemEventsRequest): Promise<void> {
  const { follow, onEvent, onLost = () => {}, patienceMs = 5 * 60_000 } = request;
  const isNew = onlyOnce(MEMORY);
  let pauseMs = FIRST_PAUSE_MS;
  let lastGood = performance.now();
  for (;;) {
    const start = performance.now();
    const lost = await readEvents(client, follow, (event) => {
      pauseMs = FIRST_PAUSE_MS;
      if (isNew(`${event.number} ${event.time.getTime()} ${event.kind}`)) onEvent(event);
    });
    if (follow && client.signal?.aborted) return;
    if (!follow && lost === undefined) return;
    if (lost !== undefined && (!follow || retryClass(lost) === "final")) throw lost;
    const now = performance.now();
    if (now - start > GOOD_STREAM_MS) pauseMs = FIRST_PAUSE_MS;
    if (lost === undefined || wasConnected(lost)) {
      lastGood = now;
      onLost(lost);
    } else if (now - lastGood > patienceMs) {
      throw lost;
    }
    try {
      await delay(pauseMs * (0.5 + Math.random() / 2), { signal: client.signal });
    } catch {
      return;
    }
    pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
  }
}

/** Reads the events of one leader to their end. @returns why it has ended, unless the leader ended it in order */
async function readEvents(
  client: ControlClient,
  follow: boolean,
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
          // All of them each time: another leader, and one that has been restarted, counts anew.
          for await (const message of connection.ctl.systemEvents({ follow, after: 0n }, options)) {
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

/** True when there was a connection, to a host that does not lead any longer. */
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

/** Says of each of the latest `size` keys once that it is new. */
function onlyOnce(size: number): (key: string) => boolean {
  const seen = new Set<string>();
  return (key) => {
    if (seen.has(key)) return false;
    seen.add(key);
    if (seen.size > size) seen.delete(seen.values().next().value as string);
    return true;
  };
}

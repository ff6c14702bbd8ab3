import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type ControlClient,
  leaderQuery,
  listPools,
  type MemberStatus,
  type SystemEvent,
  systemEvents,
  systemQuery,
} from "@daos/control-client";
import { Fault, FaultCode, toFault } from "@daos/fault";
import type { web } from "@daos/proto";
import { faultDetail } from "@daos/rpc";
import { delay } from "@daos/sys";
import { memberChanges } from "./member-changes.ts";
import { Subscribers } from "./subscribers.ts";
import { eventMessage, memberMessage, poolMessage } from "./to-message.ts";

/** A client for the system, as dmg makes it from its flags and configuration. */
interface SystemConnection {
  readonly client: ControlClient;
  readonly system: string;
  /** What is known now of certificates that expire soon. */
  readonly warnings: () => readonly string[];
}

/** Makes a client whose calls end with the signal. @throws Fault */
export type ConnectSystem = (signal: AbortSignal) => Promise<SystemConnection>;

export type Change = MessageInitShape<typeof web.WatchRespSchema>;

/** Times in milliseconds. Tests make them shorter. */
export interface LiveTimes {
  /** Between two queries of the members when no event has come. */
  readonly queryMs: number;
  /** Between two queries of the pools when no event has come. */
  readonly poolsMs: number;
  /** After a failure. */
  readonly retryMs: number;
  /** Without any message. */
  readonly aliveMs: number;
}

const TIMES: LiveTimes = { queryMs: 3_000, poolsMs: 30_000, retryMs: 1_000, aliveMs: 5_000 };

/** The limit of events that are kept for windows that open later. */
const MAX_EVENTS = 1_000;
const FOREVER_MS = Number.POSITIVE_INFINITY;

/**
 * The system as windows see it: one set of queries for all of them, and only while there are windows. Members are queried
 * again at once when the leader sends an event, so a change is seen when it happens.
 */
export class LiveSystem {
  readonly #connect: ConnectSystem;
  readonly #times: LiveTimes;
  readonly #subscribers = new Subscribers<Change>();
  #running: AbortController | undefined;
  /** Something has changed since the query began. */
  #isDue = false;
  #endPause: () => void = () => {};
  #poolsDue = 0;

  #link: Change = { change: { case: "link", value: { connected: false, since: BigInt(Date.now()) } } };
  #connected: boolean | undefined;
  #linkSince = 0n;
  /** Why the leader cannot be reached. */
  #linkText: string | undefined;
  #members: ReadonlyMap<number, MemberStatus> = new Map();
  #events: SystemEvent[] = [];
  #eventsFault: Fault | undefined;
  #latest = new Map<string, { readonly text: string; readonly change: Change }>();

  constructor(connect: ConnectSystem, times: Partial<LiveTimes> = {}) {
    this.#connect = connect;
    this.#times = { ...TIMES, ...times };
  }

  /** Yields the current state, then every change, until the signal aborts. @throws Fault webLimit */
  async *watch(signal: AbortSignal): AsyncGenerator<Change> {
    this.#start();
    try {
      yield* this.#subscribers.listen(this.#everything(), {
        signal,
        idleMs: this.#times.aliveMs,
        idle: () => ({ change: { case: "alive", value: {} } }),
      });
    } finally {
      if (this.#subscribers.size === 0) this.close();
    }
  }

  /** Queries again now, as after an action. */
  refresh(): void {
    this.#poolsDue = 0;
    this.#wake();
  }

  /** Shows work on storage to all windows, and to those that open later. */
  showWork(value: MessageInitShape<typeof web.WorkSchema>): void {
    const change = { case: "work", value } as const;
    this.#latest.set("work", { text: "", change: { change } });
    this.#publish(change);
  }

  #wake(): void {
    this.#isDue = true;
    this.#endPause();
  }

  /** Ends the queries. */
  close(): void {
    this.#running?.abort(new Error("no window watches"));
    this.#running = undefined;
  }

  #start(): void {
    if (this.#running !== undefined) return;
    const running = new AbortController();
    this.#running = running;
    this.#events = [];
    this.#eventsFault = undefined;
    this.#connected = undefined;
    this.#poolsDue = 0;
    void this.#query(running.signal);
    void this.#follow(running.signal);
  }

  #everything(): Change[] {
    const fault = this.#eventsFault && faultDetail(this.#eventsFault);
    const events = { all: true, events: this.#events.map(eventMessage), ...(fault && { fault }) };
    const members = { all: true, changed: [...this.#members.values()].map(memberMessage), gone: [] };
    return [
      this.#link,
      ...[...this.#latest.values()].map(({ change }) => change),
      { change: { case: "members", value: members } },
      { change: { case: "events", value: events } },
    ];
  }

  async #query(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let pauseMs = this.#times.queryMs;
      this.#isDue = false;
      try {
        await this.#queryOnce(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#setLink(toFault(error));
        pauseMs = this.#times.retryMs;
      }
      if (!this.#isDue) await this.#pause(pauseMs, signal);
    }
  }

  async #queryOnce(signal: AbortSignal): Promise<void> {
    const { client, system, warnings } = await this.#connect(signal);
    const [{ members }, management] = await Promise.all([
      systemQuery(client),
      leaderQuery(client, { system }),
    ]);
    if (signal.aborted) return;
    this.#setMembers(new Map(members.map((member) => [member.rank, member])));
    this.#setLatest({
      case: "management",
      value: { leader: management.leader, replicas: [...management.replicas] },
    });
    this.#setLatest({ case: "warnings", value: { texts: [...warnings()] } });
    this.#setLink(undefined);
    if (performance.now() < this.#poolsDue) return;
    this.#poolsDue = performance.now() + this.#times.poolsMs;
    const pools = await poolsChange(client, system);
    if (!signal.aborted) this.#setLatest(pools);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const { client } = await this.#connect(signal);
        await systemEvents(client, {
          follow: true,
          searchTimeoutMs: FOREVER_MS,
          onEvent: (event) => this.#addEvent(event),
          // The next query of the members reports why, and when the leader is back.
          onLost: () => this.#wake(),
        });
      } catch (error) {
        if (!signal.aborted) this.#setEventsFault(toFault(error));
      }
      await delay(this.#times.retryMs, { signal }).catch(() => {});
    }
  }

  /** The members are queried without the events. */
  #setEventsFault(fault: Fault): void {
    if (this.#eventsFault?.code === fault.code) return;
    this.#eventsFault = fault;
    this.#publish({ case: "events", value: { fault: faultDetail(fault) } });
  }

  #addEvent(event: SystemEvent): void {
    this.#eventsFault = undefined;
    this.#events.push(event);
    if (this.#events.length > MAX_EVENTS) this.#events.shift();
    this.#publish({ case: "events", value: { all: false, events: [eventMessage(event)] } });
    this.#wake();
  }

  #setMembers(members: ReadonlyMap<number, MemberStatus>): void {
    const { changed, gone } = memberChanges(this.#members, members);
    this.#members = members;
    if (changed.length + gone.length === 0) return;
    const value = { all: false, changed: changed.map(memberMessage), gone: [...gone] };
    this.#publish({ case: "members", value });
  }

  #setLatest(change: Change["change"] & object): void {
    const text = JSON.stringify(change, (_key, value) => (typeof value === "bigint" ? `${value}` : value));
    const name = String(change.case);
    if (this.#latest.get(name)?.text === text) return;
    this.#latest.set(name, { text, change: { change } });
    this.#publish(change);
  }

  /** @param fault why the leader cannot be reached; undefined when it answers */
  #setLink(fault: Fault | undefined): void {
    const connected = fault === undefined;
    const text = fault?.message;
    if (this.#connected === connected && this.#linkText === text) return;
    // The reason may change while the leader is lost: a server that ends first refuses calls, and then no longer
    // listens.
    if (this.#connected !== connected) this.#linkSince = BigInt(Date.now());
    this.#connected = connected;
    this.#linkText = text;
    const since = this.#linkSince;
    const value = connected ? { connected, since } : { connected, since, fault: faultDetail(fault) };
    this.#link = { change: { case: "link", value } };
    this.#subscribers.publish(this.#link);
  }

  #publish(change: Change["change"]): void {
    this.#subscribers.publish({ change });
  }

  /** Waits until the time is over, {@link refresh} is called, or the signal aborts. */
  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        this.#endPause = () => {};
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener("abort", end, { once: true });
      this.#endPause = end;
    });
  }
}

/** The members are shown even when the data plane does not answer. */
async function poolsChange(client: ControlClient, system: string): Promise<Change["change"] & object> {
  try {
    const { pools, outage } = await listPools(client, { system });
    const value = pools.filter(({ state }) => state !== "creating" && state !== "missing").map(poolMessage);
    return {
      case: "pools",
      value: { pools: value, ...(outage && { fault: faultDetail(faultRecorded(outage)) }) },
    };
  } catch (error) {
    return { case: "pools", value: { pools: [], fault: faultDetail(toFault(error)) } };
  }
}

function faultRecorded(outage: string): Fault {
  return new Fault({
    domain: "system",
    code: FaultCode.poolServiceDown,
    description: "the pools are shown as they were last recorded",
    reason: outage,
    resolution: "see them with: dmg pool list",
  });
}

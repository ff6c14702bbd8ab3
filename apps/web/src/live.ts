import type { ctl, web } from "@daos/proto";
import { batch, type Signal, signal } from "@preact/signals";
import { dmg } from "./api.ts";
import { fromDetail, isNotAuthorized, type PageFault, toPageFault } from "./fault.ts";
import { compareAddresses, type StateName, stateOf } from "./hosts.ts";

/** One host. Its members have their own signal, so that a change updates one cell. */
export interface HostEntry {
  readonly address: string;
  /** The fault domain of its first member. */
  readonly faultDomain: string;
  /** The members by rank. */
  readonly members: Signal<readonly ctl.SystemMember[]>;
}

/** Whether this page has a connection to dmg. */
export type Contact =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  | { readonly kind: "lost"; readonly since: number; readonly fault: PageFault }
  /** dmg does not know this browser: trying again would not help. */
  | { readonly kind: "refused"; readonly fault: PageFault };

export const contact = signal<Contact>({ kind: "connecting" });
export const setup = signal<web.Setup | undefined>(undefined);
export const link = signal<web.Link | undefined>(undefined);
export const management = signal<web.Management | undefined>(undefined);
export const pools = signal<web.Pools | undefined>(undefined);
/** The latest work on storage. */
export const work = signal<web.Work | undefined>(undefined);
export const warnings = signal<readonly string[]>([]);
/** The hosts by address. A new or removed host creates a new map. */
export const hosts = signal<ReadonlyMap<string, HostEntry>>(new Map());
/** The number of members in each state. */
export const counts = signal<ReadonlyMap<StateName, number>>(new Map());
/** Oldest first. */
export const events = signal<readonly ctl.SystemEvent[]>([]);
/** The reason why no events arrive. */
export const eventsFault = signal<PageFault | undefined>(undefined);
/** The time (ms), for ages. */
export const now = signal(Date.now());

/** The limit of events that the page keeps. */
const MAX_EVENTS = 2_000;
/** dmg sends a message every 5 s. After this time (ms) without a message, the page reconnects: a laptop may have slept. */
const CONTACT_TIMEOUT_MS = 15_000;
/** A hidden window closes its connection after this time (ms), because browsers allow six for all windows. */
const HIDDEN_MS = 60_000;
const MAX_PAUSE_MS = 5_000;

const members = new Map<number, ctl.SystemMember>();

/** Follows the system as long as the page is open. */
export async function follow(): Promise<void> {
  setInterval(() => {
    now.value = Date.now();
  }, 10_000);
  let pauseMs = 250;
  for (;;) {
    await visible();
    try {
      await watchOnce(() => {
        pauseMs = 250;
      });
    } catch (error) {
      const fault = toPageFault(error);
      if (isNotAuthorized(error)) {
        contact.value = { kind: "refused", fault };
        return;
      }
      if (contact.value.kind !== "lost") contact.value = { kind: "lost", since: Date.now(), fault };
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
  }
}

/** Runs one call until it ends. A hidden window ends it without an error. */
async function watchOnce(onMessage: () => void): Promise<void> {
  const abort = new AbortController();
  let contactTimer = setTimeout(() => {}, 0);
  const listen = () => {
    clearTimeout(contactTimer);
    contactTimer = setTimeout(() => abort.abort(new Error("no message for 15 s")), CONTACT_TIMEOUT_MS);
  };
  let left: ReturnType<typeof setTimeout> | undefined;
  const onVisibility = () => {
    clearTimeout(left);
    if (document.hidden) left = setTimeout(() => abort.abort(), HIDDEN_MS);
  };
  document.addEventListener("visibilitychange", onVisibility);
  listen();
  try {
    for await (const { change } of dmg.watch({}, { signal: abort.signal })) {
      listen();
      onMessage();
      batch(() => {
        if (contact.value.kind !== "live") contact.value = { kind: "live" };
        take(change);
      });
    }
  } catch (error) {
    if (!document.hidden) throw error;
  } finally {
    clearTimeout(contactTimer);
    clearTimeout(left);
    document.removeEventListener("visibilitychange", onVisibility);
  }
}

function visible(): Promise<void> {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) =>
    document.addEventListener("visibilitychange", () => resolve(), { once: true }),
  );
}

function take(change: web.WatchResp["change"]): void {
  switch (change.case) {
    case "setup":
      setup.value = change.value;
      break;
    case "link":
      link.value = change.value;
      break;
    case "management":
      management.value = change.value;
      break;
    case "pools":
      pools.value = change.value;
      break;
    case "work":
      work.value = change.value;
      break;
    case "warnings":
      warnings.value = change.value.texts;
      break;
    case "members":
      takeMembers(change.value);
      break;
    case "events":
      events.value = [...(change.value.all ? [] : events.value), ...change.value.events].slice(-MAX_EVENTS);
      eventsFault.value = change.value.fault && fromDetail(change.value.fault);
      break;
    case "alive":
    case undefined:
      break;
    default:
      change satisfies never;
  }
  now.value = Date.now();
}

function takeMembers({ all, changed, gone }: web.Members): void {
  const touched = new Set<string>();
  const touch = (member: ctl.SystemMember | undefined) => {
    if (member !== undefined) touched.add(member.addr);
  };
  const named = new Set(changed.map(({ rank }) => rank));
  const forgotten = all ? [...members.keys()].filter((rank) => !named.has(rank)) : gone;
  for (const rank of forgotten) {
    touch(members.get(rank));
    members.delete(rank);
  }
  for (const member of changed) {
    touch(members.get(member.rank));
    touch(member);
    members.set(member.rank, member);
  }
  const byHost = Map.groupBy(
    [...members.values()].filter(({ addr }) => touched.has(addr)),
    ({ addr }) => addr,
  );
  let known: Map<string, HostEntry> | undefined;
  for (const address of touched) {
    const found = byHost.get(address)?.sort((a, b) => a.rank - b.rank) ?? [];
    const entry = hosts.value.get(address);
    const [first] = found;
    if (entry !== undefined && first !== undefined && first.faultDomain === entry.faultDomain) {
      entry.members.value = found;
      continue;
    }
    known ??= new Map(hosts.value);
    if (first === undefined) known.delete(address);
    else known.set(address, { address, faultDomain: first.faultDomain, members: signal(found) });
  }
  if (known !== undefined) {
    hosts.value = new Map([...known].sort(([a], [b]) => compareAddresses(a, b)));
  }
  const states = Map.groupBy(members.values(), stateOf);
  counts.value = new Map([...states].map(([state, of]) => [state, of.length]));
}

import type { Signal } from "@preact/signals";
import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { countOf } from "../format.ts";
import {
  hostFilter,
  parentDomain,
  STATES,
  type StateName,
  shortNames,
  stateOf,
  worstState,
} from "../hosts.ts";
import { counts, type HostEntry, hosts } from "../live.ts";
import { HostsActions } from "../parts/member-actions.tsx";
import { StateMark, stateLabel } from "../parts/state-mark.tsx";
import { linkTo, route } from "../route.ts";
import { keepTabStops, moveInMap } from "./move-in-map.ts";

/** Up to this number of hosts, each cell shows its name. */
const ROOMY = 48;

type Filter = (host: HostEntry) => boolean;

/** All hosts: one cell each, with the state of the member that needs attention most. */
export function HostsPage() {
  const text = useSignal("");
  const states = useSignal<ReadonlySet<StateName>>(statesOf(route.value.of));
  useSignalEffect(() => {
    states.value = statesOf(route.value.of);
  });
  const filter = useComputed<Filter>(() => {
    const named = hostFilter(text.value);
    const wanted = states.value;
    return ({ address, members }) =>
      (wanted.size === 0 || members.value.some((member) => wanted.has(stateOf(member)))) &&
      named(
        address,
        members.value.map(({ rank }) => rank),
      );
  });
  const found = useComputed(() => [...hosts.value.values()].filter((host) => filter.value(host)));
  return (
    <>
      <h1>Hosts</h1>
      <div class="toolbar">
        <label class="search">
          <span>Filter</span>
          <input
            type="search"
            placeholder="node[1-8], 10.0.3, rank:7"
            value={text}
            onInput={({ currentTarget }) => {
              text.value = currentTarget.value;
            }}
          />
        </label>
        <StateChips states={states} />
      </div>
      <HostsActions found={found} />
      <HostMap filter={filter} />
      <NothingFound found={found} />
    </>
  );
}

function statesOf(text: string): ReadonlySet<StateName> {
  if (text === "needs-attention") return new Set(STATES.filter((state) => state !== "joined"));
  return new Set(STATES.filter((state) => state === text));
}

function StateChips({ states }: { readonly states: Signal<ReadonlySet<StateName>> }) {
  const toggle = (state: StateName) => {
    const next = new Set(states.value);
    if (!next.delete(state)) next.add(state);
    states.value = next;
  };
  const present = STATES.toReversed().filter((state) => counts.value.has(state) || states.value.has(state));
  return (
    <fieldset class="chips">
      <legend>Members that are</legend>
      {present.map((state) => (
        <button
          key={state}
          type="button"
          class="chip"
          aria-pressed={states.value.has(state)}
          onClick={() => toggle(state)}
        >
          <StateMark state={state} />
          {stateLabel(state)} <strong>{(counts.value.get(state) ?? 0).toLocaleString("en")}</strong>
        </button>
      ))}
    </fieldset>
  );
}

function NothingFound({ found }: { readonly found: Signal<readonly HostEntry[]> }) {
  if (found.value.length > 0) return null;
  return (
    <p class="quiet">{hosts.value.size === 0 ? "The system has no members." : "No host fits the filter."}</p>
  );
}

function HostMap({ filter }: { readonly filter: Signal<Filter> }) {
  const map = useRef<HTMLDivElement>(null);
  useEffect(() => {
    map.current?.addEventListener("keydown", moveInMap);
  }, []);
  useSignalEffect(() => {
    void filter.value;
    // The cells update their visibility first.
    setTimeout(() => keepTabStops(map.current));
  });
  const entries = [...hosts.value.values()];
  const name = shortNames(entries.map(({ address }) => address));
  const groups = [...Map.groupBy(entries, ({ faultDomain }) => parentDomain(faultDomain))];
  return (
    <div ref={map} class={entries.length <= ROOMY ? "map roomy" : "map"}>
      {groups.map(([domain, members]) => (
        <Domain
          key={domain}
          title={domain === "" && groups.length === 1 ? "" : domain === "" ? "No fault domain" : domain}
          hosts={members}
          filter={filter}
          name={name}
        />
      ))}
    </div>
  );
}

interface DomainProps {
  readonly title: string;
  readonly hosts: readonly HostEntry[];
  readonly filter: Signal<Filter>;
  readonly name: (address: string) => string;
}

function Domain({ title, hosts: members, filter, name }: DomainProps) {
  const label = title === "" ? "Hosts" : title;
  return (
    <section class="domain" aria-label={label}>
      {title !== "" && (
        <h2>
          {title} <span>{countOf(members.length, "host")}</span>
        </h2>
      )}
      <div class="cells">
        {members.map((host, index) => (
          <Cell
            key={host.address}
            host={host}
            filter={filter}
            label={name(host.address)}
            isFirst={index === 0}
          />
        ))}
      </div>
    </section>
  );
}

interface CellProps {
  readonly host: HostEntry;
  readonly filter: Signal<Filter>;
  readonly label: string;
  readonly isFirst: boolean;
}

/** One host. A change of a member redraws this cell only. */
function Cell({ host, filter, label, isFirst }: CellProps) {
  const members = host.members.value;
  const state = worstState(members);
  const ranks = `${members.length === 1 ? "rank" : "ranks"} ${members.map(({ rank }) => rank).join(", ")}`;
  const what = `${label} ${ranks}, ${stateLabel(state)}`;
  return (
    <a
      class="cell"
      data-state={state}
      data-host={host.address}
      href={linkTo("host", host.address)}
      hidden={!filter.value(host)}
      tabIndex={isFirst ? 0 : -1}
      aria-label={what}
      title={members[0]?.reason ? `${what} (${members[0].reason})` : what}
    >
      <StateMark state={state} />
      <span class="name">{label}</span> <span class="ranks">{ranks}</span>
    </a>
  );
}

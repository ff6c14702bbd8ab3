import type { ctl, web } from "@daos/proto";
import { useEffect, useState } from "preact/hooks";
import { dmg } from "../api.ts";
import { fromDetail, type PageFault, toPageFault } from "../fault.ts";
import { countOf, formatBytes } from "../format.ts";
import { stateOf } from "../hosts.ts";
import { contact, counts, events, hosts, management, pools, warnings } from "../live.ts";
import { Age } from "../parts/age.tsx";
import { EventList } from "../parts/event-list.tsx";
import { FaultBox } from "../parts/fault-box.tsx";
import { StateBar } from "../parts/state-bar.tsx";
import { NamedState } from "../parts/state-mark.tsx";
import { linkTo } from "../route.ts";

/** The number of events and members on the overview. */
const SOME = 6;

/** The overview of the system. */
export function OverviewPage() {
  return (
    <>
      <h1>Overview</h1>
      <div class="tiles">
        <MembersTile />
        <ManagementTile />
        <CapacityTile />
        <PoolsTile />
      </div>
      <div class="columns">
        <Attention />
        <section class="card">
          <h2>
            Latest events <a href={linkTo("events")}>All events</a>
          </h2>
          {events.value.length === 0 ? (
            <p class="quiet">No events in this leader's term.</p>
          ) : (
            <EventList events={events.value.slice(-SOME)} />
          )}
        </section>
      </div>
    </>
  );
}

function MembersTile() {
  const all = [...counts.value.values()].reduce((sum, count) => sum + count, 0);
  return (
    <section class="card tile">
      <h2>Members</h2>
      <p class="figure">
        {all.toLocaleString("en")} <span>on {countOf(hosts.value.size, "host")}</span>
      </p>
      <StateBar counts={counts.value} />
    </section>
  );
}

function ManagementTile() {
  const { leader = "", replicas = [] } = management.value ?? {};
  return (
    <section class="card tile">
      <h2>Leader</h2>
      <p class="figure address">{leader === "" ? "None" : leader}</p>
      <ul class="plain">
        {replicas.map((replica) => (
          <li key={replica}>
            {replica} <span class="quiet">{replica === leader ? "leads" : "access point"}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function PoolsTile() {
  const { pools: list = [], fault } = pools.value ?? {};
  return (
    <section class="card tile">
      <h2>Pools</h2>
      {fault === undefined ? (
        <p class="figure">{list.length.toLocaleString("en")}</p>
      ) : (
        <FaultBox fault={fromDetail(fault)} />
      )}
    </section>
  );
}

type Capacity = web.QueryCapacityResp | PageFault | undefined;

/** The interval (ms) of the queries for the used storage. */
const CAPACITY_MS = 60_000;

function CapacityTile() {
  const [capacity, setCapacity] = useState<Capacity>();
  const isLive = contact.value.kind === "live" && hosts.value.size > 0;
  useEffect(() => {
    if (!isLive) return undefined;
    const abort = new AbortController();
    const ask = () =>
      dmg.queryCapacity({}, { signal: abort.signal }).then(setCapacity, (error) => {
        if (!abort.signal.aborted) setCapacity(toPageFault(error));
      });
    void ask();
    const timer = setInterval(ask, CAPACITY_MS);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [isLive]);
  return (
    <section class="card tile">
      <h2>Capacity</h2>
      <CapacityFigures capacity={capacity} />
    </section>
  );
}

function CapacityFigures({ capacity }: { readonly capacity: Capacity }) {
  if (capacity === undefined) return <p class="quiet">Asking the hosts …</p>;
  if ("text" in capacity) return <FaultBox fault={capacity} />;
  const used = capacity.scmTotal - capacity.scmAvailable;
  return (
    <>
      <p class="figure">
        {formatBytes(capacity.scmTotal)} <span>SCM</span>
      </p>
      {capacity.scmTotal > 0n && <Meter label="SCM in use" part={used} whole={capacity.scmTotal} />}
      <p class="quiet">
        {formatBytes(capacity.scmAvailable)} available · {formatBytes(capacity.nvmeTotal)} NVMe
      </p>
      {capacity.hostsFailed > 0 && (
        <p class="warn">
          {countOf(capacity.hostsFailed, "host does", "hosts do")} not say
          {capacity.fault === undefined ? "" : `: ${fromDetail(capacity.fault).text}`}
        </p>
      )}
    </>
  );
}

interface MeterProps {
  readonly label: string;
  readonly part: bigint;
  readonly whole: bigint;
}

/** A bar with a share. */
export function Meter({ label, part, whole }: MeterProps) {
  const percent = whole === 0n ? 0 : Number((part * 1000n) / whole) / 10;
  return (
    <div class="meter-line">
      <meter aria-label={label} min={0} max={100} value={percent}>
        {percent}%
      </meter>
      <span>{percent.toFixed(0)}%</span>
    </div>
  );
}

/** The problems that need attention. */
function Attention() {
  const needingAttention = [...hosts.value.values()].flatMap(({ members }) =>
    members.value.filter((member) => stateOf(member) !== "joined"),
  );
  const nothing = needingAttention.length === 0 && warnings.value.length === 0;
  return (
    <section class="card">
      <h2>Needs attention</h2>
      {nothing && hosts.value.size > 0 && (
        <p class="fine">Every member has joined. Nothing needs attention.</p>
      )}
      {warnings.value.map((text) => (
        <p key={text} class="warn">
          {text.replace(/^warning: /, "")}
        </p>
      ))}
      {needingAttention.length > 0 && <NeedsAttention members={needingAttention} />}
    </section>
  );
}

function NeedsAttention({ members }: { readonly members: readonly ctl.SystemMember[] }) {
  return (
    <>
      <ul class="attention">
        {members.slice(0, SOME).map((member) => (
          <li key={member.rank}>
            <NamedState state={stateOf(member)} />
            <a href={linkTo("host", member.addr)}>
              Rank {member.rank} on {member.addr}
            </a>
            <span class="quiet">
              {member.reason}
              {member.since > 0n && (
                <>
                  {member.reason === "" ? "" : ", "}
                  for <Age time={Number(member.since)} />
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
      {members.length > SOME && (
        <p>
          <a href={linkTo("hosts", "needs-attention")}>and {countOf(members.length - SOME, "more member")}</a>
        </p>
      )}
    </>
  );
}

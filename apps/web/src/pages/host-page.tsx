import type { ctl, web } from "@daos/proto";
import { useEffect, useState } from "preact/hooks";
import { dmg } from "../api.ts";
import { fromDetail, type PageFault, toPageFault } from "../fault.ts";
import { formatBytes } from "../format.ts";
import { stateOf, worstState } from "../hosts.ts";
import { events, hosts } from "../live.ts";
import { Age } from "../parts/age.tsx";
import { Controllers } from "../parts/controllers.tsx";
import { EventList } from "../parts/event-list.tsx";
import { FaultBox } from "../parts/fault-box.tsx";
import { MemberActions } from "../parts/member-actions.tsx";
import { NamedState } from "../parts/state-mark.tsx";
import { linkTo } from "../route.ts";
import { Meter } from "./overview.tsx";

/** One host: its engines, storage, interfaces and events. */
export function HostPage({ address }: { readonly address: string }) {
  const members = hosts.value.get(address)?.members.value ?? [];
  const own = events.value.filter((event) => event.addr === address);
  return (
    <>
      <p class="crumb">
        <a href={linkTo("hosts")}>Hosts</a>
      </p>
      <div class="title-line">
        <h1 class="address">{address}</h1>
        {members.length > 0 && <NamedState state={worstState(members)} />}
        <MemberActions members={members} />
      </div>
      {members.length === 0 ? (
        <p class="quiet">No member of the system is on this host.</p>
      ) : (
        <Engines members={members} />
      )}
      <p>
        <a href={linkTo("config", address)}>Configuration of this host</a>
      </p>
      <Hardware key={address} address={address} />
      <section class="card">
        <h2>Events of this host</h2>
        {own.length === 0 ? <p class="quiet">None.</p> : <EventList events={own} />}
      </section>
    </>
  );
}

function Engines({ members }: { readonly members: readonly ctl.SystemMember[] }) {
  return (
    <section class="engines">
      {members.map((member) => (
        <article key={member.rank} class="card engine">
          <h2>
            Rank {member.rank} <NamedState state={stateOf(member)} />
          </h2>
          {member.reason !== "" && <p>{member.reason}</p>}
          <dl class="facts">
            <dt>In this state for</dt>
            <dd>
              <Age time={Number(member.since)} />
            </dd>
            <dt>Joins</dt>
            <dd>{member.incarnation}</dd>
            <dt>Fabric</dt>
            <dd>
              <code>{member.uri}</code>
            </dd>
            <dt>Fault domain</dt>
            <dd>{member.faultDomain}</dd>
            <dt>UUID</dt>
            <dd>
              <code>{member.uuid}</code>
            </dd>
          </dl>
        </article>
      ))}
    </section>
  );
}

type Answer = web.QueryHostResp | PageFault | undefined;

function Hardware({ address }: { readonly address: string }) {
  const [answer, setAnswer] = useState<Answer>();
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    dmg.queryHost({ address }, { signal: abort.signal }).then(setAnswer, (error) => {
      if (!abort.signal.aborted) setAnswer(toPageFault(error));
    });
    return () => abort.abort();
  }, [address, asked]);
  const again = () => {
    setAnswer(undefined);
    setAsked(asked + 1);
  };
  return (
    <section class="card">
      <h2>
        Server, storage and fabric{" "}
        <button type="button" onClick={again} disabled={answer === undefined}>
          Ask again
        </button>
      </h2>
      {answer === undefined && <p class="quiet">Asking the host …</p>}
      {answer !== undefined && "text" in answer && <FaultBox fault={answer} />}
      {answer !== undefined && !("text" in answer) && <HostAnswer answer={answer} />}
    </section>
  );
}

function HostAnswer({ answer }: { readonly answer: web.QueryHostResp }) {
  const faults = [answer.serverFault, answer.enginesFault, ...answer.storageFaults, answer.interfacesFault];
  return (
    <>
      {uniqueFaults(faults).map((fault) => (
        <FaultBox key={fault.text} fault={fault} />
      ))}
      {answer.server !== undefined && <Server server={answer.server} />}
      <Uses engines={answer.engines} />
      <h3>NVMe controllers</h3>
      <Controllers controllers={answer.controllers} label="NVMe controllers" />
      {answer.namespaces.length > 0 && (
        <>
          <h3>Persistent memory</h3>
          <ul class="plain">
            {answer.namespaces.map(({ blockDevice, size, numaNode, engine }) => (
              <li key={blockDevice}>
                <code>{blockDevice}</code> {formatBytes(size)}{" "}
                <span class="quiet">
                  NUMA node {numaNode}
                  {engine === undefined ? "" : `, engine ${engine}`}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
      <Interfaces interfaces={answer.interfaces} />
    </>
  );
}

/** An unreachable host has the same fault for each query. */
function uniqueFaults(details: readonly (ctl.FaultDetail | undefined)[]): readonly PageFault[] {
  const faults = details.flatMap((detail) => (detail === undefined ? [] : fromDetail(detail)));
  return [...new Map(faults.map((fault) => [`${fault.code} ${fault.resolution}`, fault])).values()];
}

/** The processes of the host. */
function Server({ server }: { readonly server: ctl.ServerQueryResp }) {
  return (
    <>
      <p>
        daos_server {server.version}, PID {server.pid}, started <Age time={Number(server.started)} /> ago
      </p>
      <table class="processes">
        <thead>
          <tr>
            <th scope="col">Engine</th>
            <th scope="col">Rank</th>
            <th scope="col">State</th>
            <th scope="col">PID</th>
            <th scope="col">Up for</th>
            <th scope="col">Restarts</th>
          </tr>
        </thead>
        <tbody>
          {server.engines.map(({ index, rank, state, pid, started, restarts }) => (
            <tr key={index}>
              <td>{index}</td>
              <td>{rank ?? "-"}</td>
              <td>{state}</td>
              <td>{pid === 0 ? "-" : pid}</td>
              <td>
                <Age time={Number(started)} />
              </td>
              <td>{restarts}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function Uses({ engines }: { readonly engines: readonly web.EngineStorage[] }) {
  return (
    <div class="uses">
      {engines.map((engine) => (
        <div key={engine.index}>
          <h3>
            Engine {engine.index}
            {engine.rank === undefined ? "" : `, rank ${engine.rank}`}
          </h3>
          {engine.scmFault === undefined ? (
            <>
              <p>
                SCM {formatBytes(engine.scmTotal)}, {formatBytes(engine.scmAvailable)} available{" "}
                <code>{engine.mount}</code>
              </p>
              <Meter
                label={`SCM in use of engine ${engine.index}`}
                part={engine.scmTotal - engine.scmAvailable}
                whole={engine.scmTotal}
              />
            </>
          ) : (
            <FaultBox fault={fromDetail(engine.scmFault)} />
          )}
          {engine.nvmeFault !== undefined && <FaultBox fault={fromDetail(engine.nvmeFault)} />}
          {engine.nvmeFault === undefined && engine.nvmeTotal > 0n && (
            <p>NVMe {formatBytes(engine.nvmeTotal)}</p>
          )}
        </div>
      ))}
    </div>
  );
}

function Interfaces({ interfaces }: { readonly interfaces: readonly web.FabricInterface[] }) {
  if (interfaces.length === 0) return <p class="quiet">No fabric interfaces.</p>;
  const devices = [...Map.groupBy(interfaces, ({ device }) => device)];
  return (
    <>
      <h3>Fabric interfaces</h3>
      <ul class="plain">
        {devices.map(([device, entries]) => (
          <li key={device}>
            <code>{device}</code> {entries.map(({ provider }) => provider).join(", ")}{" "}
            <span class="quiet">NUMA node {entries[0]?.numaNode}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

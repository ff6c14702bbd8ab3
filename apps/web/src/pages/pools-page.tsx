import type { web } from "@daos/proto";
import { useState } from "preact/hooks";
import { fromDetail } from "../fault.ts";
import { countOf, formatBytes } from "../format.ts";
import { pools, setup } from "../live.ts";
import { CreatePoolDialog } from "../parts/create-pool-dialog.tsx";
import { FaultBox } from "../parts/fault-box.tsx";
import { linkTo } from "../route.ts";

/** The pools of the system, and a form for a new one. */
export function PoolsPage() {
  const [isCreating, setCreating] = useState(false);
  const { pools: list = [], fault } = pools.value ?? {};
  return (
    <>
      <div class="title-line">
        <h1>Pools</h1>
        {setup.value?.readOnly !== true && (
          <div class="buttons">
            <button type="button" onClick={() => setCreating(true)}>
              Create a pool …
            </button>
          </div>
        )}
      </div>
      {fault !== undefined && <FaultBox fault={fromDetail(fault)} />}
      <section class="card">
        <h2>{countOf(list.length, "pool")}</h2>
        {list.length === 0 ? (
          <p class="quiet">{fault === undefined ? "The system has no pools." : "They are not known."}</p>
        ) : (
          <PoolTable list={list} />
        )}
      </section>
      {isCreating && <CreatePoolDialog onClose={() => setCreating(false)} />}
    </>
  );
}

function PoolTable({ list }: { readonly list: readonly web.Pool[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls is scrolled with the keyboard, too
    <section class="scroll" tabIndex={0} aria-label="Pools">
      <table>
        <thead>
          <tr>
            <th>Pool</th>
            <th>State</th>
            <th class="number">SCM of each rank</th>
            <th class="number">NVMe of each rank</th>
            <th>Owner</th>
            <th>Ranks of its service</th>
          </tr>
        </thead>
        <tbody>
          {list.map(({ uuid, label, state, scmBytes, nvmeBytes, user, svcReplicas, note }) => (
            <tr key={uuid}>
              <td>
                <a href={linkTo("pool", uuid)}>
                  {label !== "" && `${label} `}
                  <code>{uuid}</code>
                </a>
                {note !== "" && <p class="warn">{note}</p>}
              </td>
              <td>{state}</td>
              <td class="number">{scmBytes === 0n ? "-" : formatBytes(scmBytes)}</td>
              <td class="number">{scmBytes === 0n ? "-" : formatBytes(nvmeBytes)}</td>
              <td>{user === "" ? "-" : user}</td>
              <td>{svcReplicas.join(", ")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

import { web } from "@daos/proto";
import { useSignal } from "@preact/signals";
import { useState } from "preact/hooks";
import { dmg } from "../api.ts";
import { fromDetail, type PageFault, toPageFault } from "../fault.ts";
import { countOf, formatBytes } from "../format.ts";
import { hosts, setup, work } from "../live.ts";
import { Controllers } from "../parts/controllers.tsx";
import { FaultBox } from "../parts/fault-box.tsx";
import { WorkCard } from "../parts/work-card.tsx";
import { WorkDialog } from "../parts/work-dialog.tsx";
import { WORK_NAMES } from "../work-names.ts";

const KINDS = [web.WorkKind.PREPARE, web.WorkKind.FORMAT, web.WorkKind.BURN_IN] as const;

/** The storage hardware of hosts, and its tasks: prepare, format, burn in. */
export function StoragePage() {
  const typed = useSignal<string | undefined>(undefined);
  const [opened, setOpened] = useState<(typeof KINDS)[number]>();
  const given = setup.value?.hosts ?? "";
  const text = typed.value ?? given;
  const isBusy = work.value !== undefined && work.value.ended === 0n;
  return (
    <>
      <h1>Storage</h1>
      <div class="toolbar">
        <label class="search">
          <span>Hosts</span>
          <input
            value={text}
            placeholder="node[1-8]"
            onInput={({ currentTarget }) => {
              typed.value = currentTarget.value;
            }}
          />
        </label>
        <div class="buttons">
          {hosts.value.size > 0 && (
            <button
              type="button"
              onClick={() => {
                typed.value = [...hosts.value.keys()].join(",");
              }}
            >
              All hosts with members
            </button>
          )}
          {setup.value?.readOnly !== true &&
            KINDS.map((kind) => (
              <button
                key={kind}
                type="button"
                disabled={isBusy || text.trim() === ""}
                onClick={() => setOpened(kind)}
              >
                {WORK_NAMES[kind]} …
              </button>
            ))}
        </div>
      </div>
      {work.value !== undefined && <WorkCard work={work.value} />}
      <Scan key={given} text={text} />
      {opened !== undefined && <WorkDialog kind={opened} hosts={text} onClose={() => setOpened(undefined)} />}
    </>
  );
}

type Answer = web.ScanStorageResp | PageFault | "asking" | undefined;

function Scan({ text }: { readonly text: string }) {
  const [answer, setAnswer] = useState<Answer>();
  const scan = () => {
    setAnswer("asking");
    dmg.scanStorage({ hosts: text }).then(setAnswer, (error) => setAnswer(toPageFault(error)));
  };
  return (
    <section class="card">
      <h2>
        Hardware{" "}
        <button type="button" disabled={answer === "asking" || text.trim() === ""} onClick={scan}>
          {answer === "asking" ? "Scanning …" : "Scan"}
        </button>
      </h2>
      {answer === undefined && <p class="quiet">Scan asks these hosts for their NVMe and SCM devices.</p>}
      {answer !== undefined && answer !== "asking" && "text" in answer && <FaultBox fault={answer} />}
      {answer !== undefined &&
        answer !== "asking" &&
        !("text" in answer) &&
        answer.hosts.map((host) => <HostStorage key={host.address} host={host} />)}
    </section>
  );
}

function HostStorage({ host }: { readonly host: web.HostStorage }) {
  const { address, controllers, namespaces, scmModules, scmBytes, faults } = host;
  const scm =
    scmModules === 0 && namespaces.length === 0
      ? "no SCM modules"
      : `${countOf(scmModules, "SCM module")} (${formatBytes(scmBytes)}), ${countOf(namespaces.length, "namespace")}`;
  return (
    <div class="host-storage">
      <h3 class="address">{address}</h3>
      {faults.map((fault) => (
        <FaultBox key={`${fault.domain} ${fault.code}`} fault={fromDetail(fault)} />
      ))}
      {faults.length === 0 && <p class="quiet">{scm}</p>}
      {namespaces.length > 0 && (
        <ul class="plain">
          {namespaces.map(({ blockDevice, size, numaNode }) => (
            <li key={blockDevice}>
              <code>{blockDevice}</code> {formatBytes(size)} <span class="quiet">NUMA node {numaNode}</span>
            </li>
          ))}
        </ul>
      )}
      {(controllers.length > 0 || faults.length === 0) && (
        <Controllers controllers={controllers} label={`NVMe controllers of ${address}`} />
      )}
    </div>
  );
}

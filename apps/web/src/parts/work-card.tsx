import type { web } from "@daos/proto";
import { dmg } from "../api.ts";
import { fromDetail } from "../fault.ts";
import { countOf, formatDuration } from "../format.ts";
import { now, setup } from "../live.ts";
import { WORK_NAMES } from "../work-names.ts";
import { FaultBox } from "./fault-box.tsx";

/** The latest task on storage: a bar for each device, then the results. */
export function WorkCard({ work }: { readonly work: web.Work }) {
  const { kind, hosts, hostsTotal, started, ended, devices, results } = work;
  const isOver = ended > 0n;
  const elapsed = (isOver ? Number(ended) : now.value) - Number(started);
  return (
    <section class="card work">
      <h2>
        {WORK_NAMES[kind]}: {hosts}{" "}
        {!isOver && setup.value?.readOnly !== true && (
          <button type="button" onClick={() => void dmg.endWork({})}>
            End it
          </button>
        )}
      </h2>
      <p role="status">
        {isOver ? "Ended" : "Under way"} · {results.length} of {countOf(hostsTotal, "host")} done ·{" "}
        {formatDuration(elapsed)}
      </p>
      {!isOver && (
        <ul class="bars">
          {devices.map((device) => (
            <Bar key={`${device.host} ${device.device}`} device={device} />
          ))}
        </ul>
      )}
      {results.map((result) => (
        <HostResult key={result.host} result={result} />
      ))}
    </section>
  );
}

function Bar({ device }: { readonly device: web.DeviceWork }) {
  const { host, device: name, step, fraction, remainingMs } = device;
  const percent = Math.floor(fraction * 100);
  return (
    <li>
      <span class="bar-name">
        <code>{name}</code> <span class="quiet">{host}</span>
      </span>
      <progress aria-label={`${name} on ${host}`} max={100} value={percent} />
      <span class="bar-text">
        {step} {percent}%{remainingMs === undefined ? "" : `, ${formatDuration(Number(remainingMs))} left`}
      </span>
    </li>
  );
}

function HostResult({ result }: { readonly result: web.HostWork }) {
  const { host, targets, fault } = result;
  return (
    <div class="host-storage">
      {host !== "" && <h3 class="address">{host}</h3>}
      {fault !== undefined && <FaultBox fault={fromDetail(fault)} />}
      {fault === undefined && targets.length === 0 && <p class="quiet">There was nothing to do.</p>}
      <ul class="plain">
        {targets.map(({ target, text, fault: why }) => (
          <li key={target}>
            <code>{target}</code> {text}
            {why !== undefined && <FaultBox fault={fromDetail(why)} />}
          </li>
        ))}
      </ul>
    </div>
  );
}

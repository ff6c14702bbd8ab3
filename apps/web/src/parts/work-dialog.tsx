import { web } from "@daos/proto";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { dmg } from "../api.ts";
import { command, forHosts } from "../command-line.ts";
import { hosts as knownHosts, setup } from "../live.ts";
import { ConsentDialog } from "./consent-dialog.tsx";

interface WorkDialogProps {
  readonly kind: web.WorkKind;
  /** The typed values. */
  readonly hosts: string;
  readonly onClose: () => void;
}

/** Asks for the options of a task on storage, and for consent. */
export function WorkDialog(props: WorkDialogProps) {
  switch (props.kind) {
    case web.WorkKind.PREPARE:
      return <PrepareDialog {...props} />;
    case web.WorkKind.BURN_IN:
      return <BurnInDialog {...props} />;
    case web.WorkKind.FORMAT:
    case web.WorkKind.NONE:
      return <FormatDialog {...props} />;
  }
}

const called = (hosts: string) =>
  forHosts(setup.value?.command ?? "dmg", setup.value?.hosts ?? "", hosts.trim());

interface CheckProps {
  readonly label: string;
  readonly checked: boolean;
  readonly onChecked: (checked: boolean) => void;
}

function Check({ label, checked, onChecked }: CheckProps) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={checked}
        onChange={({ currentTarget }) => onChecked(currentTarget.checked)}
      />
      {label}
    </label>
  );
}

function HostsHit({ hosts, children }: { readonly hosts: string; readonly children: ComponentChildren }) {
  return (
    <>
      <p>{children}</p>
      <dl class="hit">
        <dt>Hosts</dt>
        <dd class="hosts-hit">{hosts}</dd>
      </dl>
    </>
  );
}

function FormatDialog({ hosts, onClose }: WorkDialogProps) {
  const [reformat, setReformat] = useState(false);
  const system = setup.value?.system ?? "";
  const hasMembers = knownHosts.value.size > 0;
  return (
    <ConsentDialog
      title="Format storage"
      label="Format"
      isDanger
      command={command(called(hosts), "storage format", { "--reformat": reformat })}
      mustType={
        reformat && hasMembers
          ? { text: system, why: `Data will be lost. Type the name of the system, ${system}, to continue:` }
          : undefined
      }
      run={() => dmg.startWork({ kind: web.WorkKind.FORMAT, hosts, reformat })}
      onClose={onClose}
    >
      <HostsHit hosts={hosts}>
        Formats the configured storage of engines that wait for it. All data on it is lost.
      </HostsHit>
      <Check
        label="Reformat: also storage that has data"
        checked={reformat}
        onChecked={(checked) => setReformat(checked)}
      />
    </ConsentDialog>
  );
}

function PrepareDialog({ hosts, onClose }: WorkDialogProps) {
  const [flags, setFlags] = useState({ nvme: true, scm: false, reset: false });
  const [devices, setDevices] = useState("");
  const { nvme, scm, reset } = flags;
  return (
    <ConsentDialog
      title="Prepare storage"
      label={reset ? "Reset" : "Prepare"}
      isDanger={scm}
      isDisabled={!nvme && !scm}
      command={command(called(hosts), "storage prepare", {
        "-n": nvme && !scm,
        "-s": scm && !nvme,
        "-w": nvme ? devices : "",
        "--reset": reset,
        "--force": scm,
      })}
      run={() =>
        dmg.startWork({ kind: web.WorkKind.PREPARE, hosts, nvme, scm, reset, devices: nvme ? devices : "" })
      }
      onClose={onClose}
    >
      <HostsHit hosts={hosts}>
        Binds the NVMe devices to a driver for engines, and makes namespaces of SCM. First stop all use of
        them.
      </HostsHit>
      <Check label="NVMe" checked={nvme} onChecked={(checked) => setFlags({ ...flags, nvme: checked })} />
      <Check
        label="SCM: goals and namespaces change, and data on them is lost; a reboot may be needed"
        checked={scm}
        onChecked={(checked) => setFlags({ ...flags, scm: checked })}
      />
      <Check
        label="Reset: return the devices to the operating system"
        checked={reset}
        onChecked={(checked) => setFlags({ ...flags, reset: checked })}
      />
      <label class="field">
        PCI addresses of the NVMe controllers, separated by blanks
        <input
          value={devices}
          placeholder="all"
          onInput={({ currentTarget }) => setDevices(currentTarget.value)}
        />
      </label>
    </ConsentDialog>
  );
}

function BurnInDialog({ hosts, onClose }: WorkDialogProps) {
  const [minutes, setMinutes] = useState("15");
  const [devices, setDevices] = useState("");
  const seconds = Math.round(Number(minutes) * 60);
  return (
    <ConsentDialog
      title="Burn in NVMe controllers"
      label="Burn in"
      isDanger
      isDisabled={!(seconds >= 1 && seconds <= 5400)}
      command={command(called(hosts), "storage burn-in", {
        "-d": devices,
        "--duration": `${seconds}s`,
        "--force": true,
      })}
      run={() => dmg.startWork({ kind: web.WorkKind.BURN_IN, hosts, devices, seconds })}
      onClose={onClose}
    >
      <HostsHit hosts={hosts}>
        Controllers without data are written from end to end, repeatedly, and are empty again afterwards.
      </HostsHit>
      <label class="field">
        Minutes for each controller, 90 at most
        <input
          inputMode="decimal"
          value={minutes}
          onInput={({ currentTarget }) => setMinutes(currentTarget.value)}
        />
      </label>
      <label class="field">
        PCI addresses, separated by blanks
        <input
          value={devices}
          placeholder="every empty controller"
          onInput={({ currentTarget }) => setDevices(currentTarget.value)}
        />
      </label>
    </ConsentDialog>
  );
}

import { useEffect, useState } from "preact/hooks";
import { readAclText } from "../acl-text.ts";
import { dmg } from "../api.ts";
import { command } from "../command-line.ts";
import { type PageFault, toPageFault } from "../fault.ts";
import { pools, setup } from "../live.ts";
import { AclField } from "../parts/acl-field.tsx";
import { ConsentDialog } from "../parts/consent-dialog.tsx";
import { FaultBox } from "../parts/fault-box.tsx";
import { linkTo } from "../route.ts";

/** One pool: the ranks of its service, its access control list, and its destruction. */
export function PoolPage({ uuid }: { readonly uuid: string }) {
  const [isDestroying, setDestroying] = useState(false);
  const pool = pools.value?.pools.find((one) => one.uuid === uuid);
  return (
    <>
      <p class="crumb">
        <a href={linkTo("pools")}>Pools</a>
      </p>
      <div class="title-line">
        <h1 class="address">{pool === undefined || pool.label === "" ? uuid : `${pool.label} (${uuid})`}</h1>
        {setup.value?.readOnly !== true && pool !== undefined && (
          <div class="buttons">
            <button type="button" onClick={() => setDestroying(true)}>
              Destroy …
            </button>
          </div>
        )}
      </div>
      {pool === undefined ? (
        <p class="quiet">The system has no such pool.</p>
      ) : (
        <>
          <section class="card">
            <h2>Service</h2>
            <p>
              Replicas on the ranks {pool.svcReplicas.join(", ")}.{" "}
              <span class="quiet">Engines of release 0.8.0 do not say how full a pool is.</span>
            </p>
          </section>
          <AclCard uuid={uuid} />
        </>
      )}
      {isDestroying && <DestroyDialog uuid={uuid} onClose={() => setDestroying(false)} />}
    </>
  );
}

function DestroyDialog({ uuid, onClose }: { readonly uuid: string; readonly onClose: () => void }) {
  const [force, setForce] = useState(false);
  return (
    <ConsentDialog
      title="Destroy a pool"
      label="Destroy the pool and its data"
      isDanger
      command={command(setup.value?.command ?? "dmg", "pool destroy", { "--pool": uuid, "--force": force })}
      mustType={{
        text: uuid.slice(0, 8),
        why: `Its data is lost. Type the first part of its uuid, ${uuid.slice(0, 8)}, to continue:`,
      }}
      run={() => dmg.destroyPool({ pool: uuid, force })}
      onClose={onClose}
    >
      <p>
        This destroys the pool <code>{uuid}</code>.
      </p>
      <label class="check">
        <input
          type="checkbox"
          checked={force}
          onChange={({ currentTarget }) => setForce(currentTarget.checked)}
        />
        Force: also while clients are connected
      </label>
    </ConsentDialog>
  );
}

function AclCard({ uuid }: { readonly uuid: string }) {
  const [served, setServed] = useState<string>();
  const [text, setText] = useState("");
  const [fault, setFault] = useState<PageFault>();
  const [isSaving, setSaving] = useState(false);
  const show = (entries: readonly string[]) => {
    setServed(entries.join("\n"));
    setText(entries.join("\n"));
  };
  useEffect(() => {
    const abort = new AbortController();
    dmg.getAcl({ pool: uuid }, { signal: abort.signal }).then(
      ({ entries }) => show(entries),
      (error) => {
        if (!abort.signal.aborted) setFault(toPageFault(error));
      },
    );
    return () => abort.abort();
  }, [uuid]);
  const acl = readAclText(text);
  const mayChange = setup.value?.readOnly !== true;
  return (
    <section class="card">
      <h2>Who may use it</h2>
      {fault !== undefined && <FaultBox fault={fault} />}
      {fault === undefined && served === undefined && <p class="quiet">Asking the leader …</p>}
      {served !== undefined && (
        <>
          <AclField text={text} acl={acl} onText={setText} isReadOnly={!mayChange} />
          {mayChange && (
            <div class="buttons">
              <button
                type="button"
                class="primary"
                disabled={text === served || acl.problems.length > 0 || acl.entries.length === 0}
                onClick={() => setSaving(true)}
              >
                Replace the list …
              </button>
              <button type="button" disabled={text === served} onClick={() => setText(served)}>
                Undo
              </button>
            </div>
          )}
        </>
      )}
      {isSaving && (
        <ConsentDialog
          title="Replace the access control list"
          label="Replace the list"
          isDanger={false}
          command={command(setup.value?.command ?? "dmg", "pool overwrite-acl", {
            "--pool": uuid,
            "-a": "FILE",
          })}
          run={() =>
            dmg.overwriteAcl({ pool: uuid, entries: [...acl.entries] }).then((is) => show(is.entries))
          }
          onClose={() => setSaving(false)}
        >
          <p>
            Pool <code>{uuid}</code> will be open to those that this list names, and to no others:
          </p>
          <pre>{acl.entries.join("\n")}</pre>
        </ConsentDialog>
      )}
    </section>
  );
}

import type { ctl, web } from "@daos/proto";
import { useEffect, useState } from "preact/hooks";
import { dmg } from "../api.ts";
import { type PageFault, toPageFault } from "../fault.ts";
import { countOf } from "../format.ts";
import { FaultBox } from "../parts/fault-box.tsx";
import { FilterField } from "../parts/filter-field.tsx";
import { linkTo } from "../route.ts";

type Answer = web.QueryConfigResp | PageFault | undefined;
type Key = ctl.ServerQueryResp_Key;

/** The configuration in force on one host, with an explanation of each key. */
export function ConfigPage({ address }: { readonly address: string }) {
  const [answer, setAnswer] = useState<Answer>();
  useEffect(() => {
    const abort = new AbortController();
    dmg.queryConfig({ address }, { signal: abort.signal }).then(setAnswer, (error) => {
      if (!abort.signal.aborted) setAnswer(toPageFault(error));
    });
    return () => abort.abort();
  }, [address]);
  return (
    <>
      <p class="crumb">
        <a href={linkTo("hosts")}>Hosts</a> / <a href={linkTo("host", address)}>{address}</a>
      </p>
      <h1>Configuration</h1>
      {answer === undefined && <p class="quiet">Asking the host …</p>}
      {answer !== undefined && "text" in answer && <FaultBox fault={answer} />}
      {answer !== undefined && !("text" in answer) && <Configuration answer={answer} />}
    </>
  );
}

function Configuration({ answer: { file, keys } }: { readonly answer: web.QueryConfigResp }) {
  const [text, setText] = useState("");
  const [onlyChanged, setOnlyChanged] = useState(false);
  const wanted = text.trim().toLowerCase();
  const found = keys.filter(
    (key) => (!onlyChanged || isChanged(key)) && `${key.name} ${key.value}`.toLowerCase().includes(wanted),
  );
  return (
    <>
      <p>
        In force since the start of the server, from <code>{file}</code>. A key opens what it means.
      </p>
      <div class="toolbar">
        <FilterField text={text} placeholder="scm_mount, eth0 …" onText={setText} />
        <button
          type="button"
          class="chip"
          aria-pressed={onlyChanged}
          onClick={() => setOnlyChanged(!onlyChanged)}
        >
          Not the default
        </button>
        <p class="quiet count">
          {found.length === keys.length
            ? countOf(keys.length, "key")
            : `${found.length} of ${countOf(keys.length, "key")}`}
        </p>
      </div>
      <section class="card keys">
        {found.length === 0 && <p class="quiet">No key fits.</p>}
        {found.map((key) => (
          <details key={key.name}>
            <summary>
              <code>{key.name}</code>{" "}
              <code class={isChanged(key) ? "changed" : "quiet"}>{key.value === "" ? '""' : key.value}</code>
            </summary>
            <p>{key.description}</p>
            <dl class="facts">
              <dt>Allowed</dt>
              <dd>{key.allowed}</dd>
              <dt>Default</dt>
              <dd>{key.defaultValue === "" ? "none" : <code>{key.defaultValue}</code>}</dd>
            </dl>
          </details>
        ))}
      </section>
    </>
  );
}

function isChanged({ value, defaultValue }: Key): boolean {
  return value !== defaultValue;
}

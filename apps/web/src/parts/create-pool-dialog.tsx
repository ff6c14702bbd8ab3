import { useState } from "preact/hooks";
import { readAclText } from "../acl-text.ts";
import { dmg } from "../api.ts";
import { command } from "../command-line.ts";
import { countOf } from "../format.ts";
import { counts, setup } from "../live.ts";
import { linkTo } from "../route.ts";
import { AclField } from "./acl-field.tsx";
import { ConsentDialog } from "./consent-dialog.tsx";

interface FieldProps {
  readonly label: string;
  readonly hint: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
}

function Field({ label, hint, value, onValue }: FieldProps) {
  return (
    <label class="field">
      {label}
      <input value={value} placeholder={hint} onInput={({ currentTarget }) => onValue(currentTarget.value)} />
    </label>
  );
}

const EMPTY = {
  label: "",
  scmSize: "",
  nvmeSize: "",
  ranks: "",
  svcReplicas: "1",
  user: "",
  group: "",
  acl: "",
};

/** Creates a pool like `dmg pool create`. */
export function CreatePoolDialog({ onClose }: { readonly onClose: () => void }) {
  const [fields, setFields] = useState(EMPTY);
  const field = (name: keyof typeof EMPTY) => ({
    value: fields[name],
    onValue: (value: string) => setFields({ ...fields, [name]: value }),
  });
  const acl = readAclText(fields.acl);
  const replicas = Number(fields.svcReplicas);
  const all = [...counts.value.values()].reduce((sum, count) => sum + count, 0);
  return (
    <ConsentDialog
      title="Create a pool"
      label="Create the pool"
      isDanger={false}
      isDisabled={fields.scmSize === "" || acl.problems.length > 0 || !(replicas >= 1)}
      command={command(setup.value?.command ?? "dmg", "pool create", {
        "--label": fields.label,
        "-s": fields.scmSize,
        "-n": fields.nvmeSize,
        "-r": fields.ranks,
        "-v": replicas === 1 ? "" : fields.svcReplicas,
        "-u": fields.user,
        "-g": fields.group,
        "-a": acl.entries.length === 0 ? "" : "FILE",
      })}
      run={() => dmg.createPool({ ...fields, svcReplicas: replicas, acl: [...acl.entries] })}
      outcome={({ uuid, notes }) => (
        <div class="outcome" role="status">
          <p>
            Pool{" "}
            <a href={linkTo("pool", uuid)}>
              <code>{uuid}</code>
            </a>
          </p>
          {notes.map((note) => (
            <p key={note}>{note}</p>
          ))}
        </div>
      )}
      onClose={onClose}
    >
      <p>
        Takes storage of {fields.ranks === "" ? `all ${countOf(all, "rank")}` : `the ranks ${fields.ranks}`}.
        Sizes are for each rank.
      </p>
      <div class="field-pair">
        <Field label="Label" hint="none" {...field("label")} />
        <Field label="SCM" hint="1G or 10%" {...field("scmSize")} />
        <Field label="NVMe" hint="none" {...field("nvmeSize")} />
        <Field label="Ranks" hint="all" {...field("ranks")} />
        <Field label="Service replicas" hint="1" {...field("svcReplicas")} />
        <Field label="Owner" hint="you" {...field("user")} />
        <Field label="Owning group" hint="your primary group" {...field("group")} />
      </div>
      <AclField text={fields.acl} acl={acl} onText={(text) => setFields({ ...fields, acl: text })} />
    </ConsentDialog>
  );
}

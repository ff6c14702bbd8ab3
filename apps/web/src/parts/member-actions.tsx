import type { ctl } from "@daos/proto";
import type { Signal } from "@preact/signals";
import { useState } from "preact/hooks";
import type { MemberActionName } from "../command-line.ts";
import { countOf } from "../format.ts";
import { stateOf } from "../hosts.ts";
import { type HostEntry, hosts, setup } from "../live.ts";
import { ActionDialog } from "./action-dialog.tsx";

/** The states of members that an action changes. */
const FOR: Readonly<Record<MemberActionName, (member: ctl.SystemMember) => boolean>> = {
  stop: (member) => ["joined", "joining", "unresponsive", "unknown"].includes(stateOf(member)),
  start: (member) => ["stopped", "errored", "unknown"].includes(stateOf(member)),
  exclude: (member) => stateOf(member) !== "excluded",
  "clear-exclude": (member) => stateOf(member) === "excluded",
};

const LABELS: Readonly<Record<MemberActionName, string>> = {
  stop: "Stop",
  start: "Start",
  exclude: "Exclude",
  "clear-exclude": "Clear exclusion",
};

/** The actions on the visible hosts. */
export function HostsActions({ found }: { readonly found: Signal<readonly HostEntry[]> }) {
  const members = found.value.flatMap((host) => host.members.value);
  const isAll = found.value.length === hosts.value.size;
  return (
    <div class="actions-line">
      <p class="count">
        {isAll ? "" : "Shown: "}
        {countOf(found.value.length, "host")}, {countOf(members.length, "rank")}
      </p>
      <MemberActions members={members} />
    </div>
  );
}

/** The buttons for actions on some members. */
export function MemberActions({ members }: { readonly members: readonly ctl.SystemMember[] }) {
  // The members are fixed when the dialog opens, because they may change while the user reads it.
  const [open, setOpen] = useState<{ action: MemberActionName; members: readonly ctl.SystemMember[] }>();
  if (setup.value?.readOnly === true) return null;
  const names = Object.keys(FOR) as MemberActionName[];
  return (
    <div class="buttons">
      {names.map((action) => {
        const hit = members.filter(FOR[action]);
        return (
          <button
            key={action}
            type="button"
            disabled={hit.length === 0}
            onClick={() => setOpen({ action, members: hit })}
          >
            {LABELS[action]} …
          </button>
        );
      })}
      {open !== undefined && (
        <ActionDialog
          action={open.action}
          label={LABELS[open.action]}
          members={open.members}
          onClose={() => setOpen(undefined)}
        />
      )}
    </div>
  );
}
